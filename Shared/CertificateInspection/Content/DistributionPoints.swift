/// Where an issuer says that its revocation lists are: RFC 5280, section 4.2.1.13.
enum DistributionPoints {
    static let addressesMax = 4

    /// The addresses by HTTP, in their order; what cannot be read is passed over.
    static func addresses(_ value: ArraySlice<UInt8>) -> [String] {
        var found: [String] = []
        do throws(DERError) {
            var outer = DERReader(value)
            var points = try outer.inside(DERReader.Tag.sequence)
            while !points.isAtEnd, found.count < addressesMax {
                var point = try points.inside(DERReader.Tag.sequence)
                guard let name = try point.optional(0xA0) else { continue }
                var choice = DERReader(name)
                guard let names = try choice.optional(0xA0) else { continue }
                for case .uri(let uri) in try GeneralName.list(names, max: CertificateExtensions.listMax) where uri.starts(with: "http://".utf8) {
                    if found.count < addressesMax { found.append(String(decoding: uri, as: UTF8.self)) }
                }
            }
        } catch {
            return found
        }
        return found
    }
}
