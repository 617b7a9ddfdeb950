import CertificateInspection
import Testing

/// Numbers of 0…2^31-1 are read the same where an integer has 32 bits: what is greater is refused before it is added up.
@Suite struct DERNumberTests {
    @Test(
        arguments: [
            ([0x00], 0), ([0x7F], 127), ([0x00, 0x80], 128), ([0x7F, 0xFF, 0xFF, 0xFF], 0x7FFF_FFFF), ([0x01, 0x00, 0x00, 0x00], 1 << 24),
        ] as [([UInt8], Int)])
    func `a number of at most 31 bits is read`(bytes: [UInt8], number: Int) throws {
        #expect(try DERReader.small(bytes[...]) == number)
    }

    @Test(
        arguments: [
            [], [0x80], [0xFF, 0xFF, 0xFF, 0xFF], [0x00, 0x80, 0x00, 0x00, 0x00], [0x00, 0xFF, 0xFF, 0xFF, 0xFF], [0x01, 0x00, 0x00, 0x00, 0x01],
            [0x00, 0x00, 0x00, 0x00, 0x01], [0x01, 0, 0, 0, 0, 0, 0, 0, 0],
        ] as [[UInt8]])
    func `a greater one, a negative one, and one with a byte too many are refused`(bytes: [UInt8]) {
        #expect(throws: DERError.value) { try DERReader.small(bytes[...]) }
    }
}
