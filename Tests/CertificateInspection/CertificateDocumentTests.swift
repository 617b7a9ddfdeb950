import CertificateInspection
import Foundation
import Telemetry
import Testing

@Suite struct CertificateDocumentTests {
    private let assessment = CertificateAssessment(findings: [Finding(.notQuantumSafe, in: .device)], keyId: "cd", chain: ["ef"])

    @Test func `a record is written with exactly the keys of the report`() throws {
        let text = record(from: 0, to: 86_400_000 * 40, trustError: "self-signed certificate", assessment: assessment).json(
            at: 86_400_000, clockIsTrustworthy: true)
        #expect(
            text == #"{"id":"ab","path":"/etc/x.pem","subject":"CN=a","issuer":"CN=b","names":["a.example"],"serial":"01","#
                + #""not_before":"1970-01-01T00:00:00Z","not_after":"1970-02-10T00:00:00Z","key_algorithm":"EC P-256","key_bits":256,"#
                + #""signature_algorithm":"ecdsa-with-SHA256","trusted":false,"trust_error":"self-signed certificate","is_authority":false,"#
                + #""status":"untrusted","days_left":39,"validation_time":0.25,"profile":"device","role":"leaf","score":99,"#
                + #""findings":[{"code":"not_quantum_safe","severity":"note"}],"key_id":"cd","has_key":false,"chain":["ef"]}"#)
    }

    @Test func `what is not known is null`() throws {
        let text = record(to: nil).json(at: 0, clockIsTrustworthy: false)
        for key in ["not_after", "trust_error", "days_left"] { #expect(text.contains("\"\(key)\":null")) }
    }

    @Test func `no text from outside makes a record larger than its limit`() throws {
        let hostile = record(
            trustError: String(repeating: "\\", count: 10_000), path: String(repeating: "\u{1}", count: 4096),
            names: Array(repeating: "", count: 30_000) + [String(repeating: "\\", count: 20_000)],
            assessment: CertificateAssessment(
                findings: Array(repeating: Finding(.profileViolation, in: .webpki, detail: String(repeating: "\\", count: 500)), count: 24),
                keyId: String(repeating: "a", count: 64), chain: Array(repeating: String(repeating: "a", count: 64), count: 12)))
        let text = hostile.json(at: 0, clockIsTrustworthy: true)
        #expect(text.utf8.count <= CertificateRecord.jsonBytesMax)
        #expect(try JSONSerialization.jsonObject(with: Data(text.utf8)) is [String: Any])
        #expect(hostile.names.last?.hasSuffix("more") == true)
    }

    @Test func `text is cut between letters and marked`() {
        let path = record(path: String(repeating: "ä", count: 2000)).path
        #expect(path.utf8.count <= CertificateRecord.pathBytesMax)
        #expect(path.hasSuffix("ä…"))
    }

    @Test func `records come out of their packed form as they went in`() throws {
        let records = [
            record(assessment: assessment), record(from: nil, to: nil, trustError: "self-signed certificate", path: "/ä", names: []),
            record(from: -631_152_000_000, to: 253_402_300_799_000, names: Array(repeating: "", count: 20_000)),
        ]
        var packed = PackedRecords()
        for record in records { packed.append(record) }
        #expect(packed.count == 3)
        #expect(packed.unpacked() == records)
        var again = PackedRecords()
        again.append(packed.bytes(from: 0), count: 3)
        #expect(again.unpacked() == records)
    }
}
