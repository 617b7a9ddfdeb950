import CertificateInspection
import Testing

/// What stands beside a finding's code, however long it was.
@Suite struct FindingDetailTests {
    @Test func `the path of another file keeps its end, where its name is`() {
        let root = "/tmp/" + String(repeating: "a long root/", count: 20)
        let detail = Finding(.servedDiffers, in: .device, path: root + "other.pem").detail
        #expect(detail.hasPrefix("…") && detail.hasSuffix("a long root/other.pem"))
        #expect(detail.utf8.count == Finding.detailBytesMax)
    }

    @Test func `letters of several bytes are kept whole`() {
        let detail = Finding(.servedDiffers, in: .device, path: "/etc/" + String(repeating: "ü", count: 60) + ".pem").detail
        #expect(detail.hasSuffix("üüü.pem") && detail.utf8.count <= Finding.detailBytesMax)
        #expect(detail.unicodeScalars.dropFirst().allSatisfy { $0 == "ü" || $0.isASCII })
    }

    @Test func `a path that fits stands whole`() {
        let path = "/etc/ssl/private/" + String(repeating: "x", count: Finding.detailBytesMax - 17)
        #expect(Finding(.keyMismatch, in: .webpki, path: path).detail == path)
    }
}
