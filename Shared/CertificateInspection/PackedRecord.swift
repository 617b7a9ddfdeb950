import Telemetry

/// A record as a run of bytes. Hundreds of records as strings, made between libcrypto's allocations, would each keep a page of
/// freed memory alive; packed end to end in one array they keep their own size. The form never leaves the process.
extension CertificateRecord {
    /// A text's limit when it is read back: above every limit of a record.
    private static let textBytesMax = 64 * 1024
    /// Names that are read back: above what `alternativeNamesBytesMax` lets through.
    private static let namesMax = 8 * 1024

    package func pack(into writer: inout ByteWriter) {
        for text in [id, path, subject, issuer, serial, keyAlgorithm, signatureAlgorithm] { writer.text(text) }
        writer.varint(UInt64(names.count))
        for name in names { writer.text(name) }
        for text in [commonName, trustError] {
            writer.byte(text == nil ? 0 : 1)
            if let text { writer.text(text) }
        }
        for date in [notBefore, notAfter] {
            writer.byte(date == nil ? 0 : 1)
            if let date { writer.signed(date) }
        }
        for flag in [isAuthority, isSelfIssued, trusted] { writer.byte(flag ? 1 : 0) }
        writer.signed(Int64(keyBits))
        writer.signed(Int64(version))
        writer.uint64(validationTime.bitPattern)
        assessment.pack(into: &writer)
    }

    package init(unpacking reader: inout ByteReader) throws(DecodingError) {
        id = try reader.text("id", max: Self.textBytesMax)
        path = try reader.text("path", max: Self.textBytesMax)
        subject = try reader.text("subject", max: Self.textBytesMax)
        issuer = try reader.text("issuer", max: Self.textBytesMax)
        serial = try reader.text("serial", max: Self.textBytesMax)
        keyAlgorithm = try reader.text("key_algorithm", max: Self.textBytesMax)
        signatureAlgorithm = try reader.text("signature_algorithm", max: Self.textBytesMax)
        var names: [String] = []
        for _ in 0..<(try reader.count("names", max: Self.namesMax)) { names.append(try reader.text("names", max: Self.textBytesMax)) }
        self.names = names
        commonName = try reader.byte("common_name") == 0 ? nil : reader.text("common_name", max: Self.textBytesMax)
        trustError = try reader.byte("trust_error") == 0 ? nil : reader.text("trust_error", max: Self.textBytesMax)
        notBefore = try reader.byte("not_before") == 0 ? nil : reader.signed("not_before")
        notAfter = try reader.byte("not_after") == 0 ? nil : reader.signed("not_after")
        isAuthority = try reader.byte("is_authority") != 0
        isSelfIssued = try reader.byte("is_self_issued") != 0
        trusted = try reader.byte("trusted") != 0
        keyBits = Int(truncatingIfNeeded: try reader.signed("key_bits"))
        version = Int(truncatingIfNeeded: try reader.signed("version"))
        validationTime = Double(bitPattern: try reader.uint64("validation_time"))
        assessment = try CertificateAssessment(unpacking: &reader)
    }
}

extension CertificateAssessment {
    private static let listMax = 64
    private static let textBytesMax = 1024

    func pack(into writer: inout ByteWriter) {
        writer.byte(profile.rawValue)
        writer.byte(role.rawValue)
        writer.text(keyId)
        writer.varint(UInt64(findings.count))
        for finding in findings {
            writer.byte(finding.code.rawValue)
            writer.byte(finding.severity.rawValue)
            writer.text(finding.detail)
        }
        writer.varint(UInt64(chain.count))
        for id in chain { writer.text(id) }
    }

    init(unpacking reader: inout ByteReader) throws(DecodingError) {
        self.init(
            profile: ValidationProfile(rawValue: try reader.byte("profile")) ?? .device,
            role: CertificateRole(rawValue: try reader.byte("role")) ?? .leaf)
        keyId = try reader.text("key_id", max: Self.textBytesMax)
        for _ in 0..<(try reader.count("findings", max: Self.listMax)) {
            let code = FindingCode(rawValue: try reader.byte("code"))
            let severity = Severity(rawValue: try reader.byte("severity"))
            let detail = try reader.text("detail", max: Self.textBytesMax)
            if let code, let severity { findings.append(Finding(code, severity, detail: detail)) }
        }
        for _ in 0..<(try reader.count("chain", max: Self.listMax)) { chain.append(try reader.text("chain", max: Self.textBytesMax)) }
    }
}

/// Records end to end.
package struct PackedRecords: Sendable {
    package private(set) var count = 0
    private var writer = ByteWriter(capacity: 0)

    package init() {}

    package var bytesCount: Int { writer.bytes.count }

    package mutating func append(_ record: CertificateRecord) {
        record.pack(into: &writer)
        count += 1
    }

    /// Appends `count` records that were packed already.
    package mutating func append(_ packed: ArraySlice<UInt8>, count: Int) {
        writer.append(packed)
        self.count += count
    }

    /// What was appended since `bytesCount` was `offset`.
    package func bytes(from offset: Int) -> ArraySlice<UInt8> { writer.bytes[offset...] }
    package func bytes(in range: Range<Int>) -> ArraySlice<UInt8> { writer.bytes[range] }

    package func unpacked() -> [CertificateRecord] {
        var reader = ByteReader(writer.bytes)
        var records: [CertificateRecord] = []
        records.reserveCapacity(count)
        while !reader.isAtEnd {
            do throws(DecodingError) { records.append(try CertificateRecord(unpacking: &reader)) } catch { break }
        }
        return records
    }
}
