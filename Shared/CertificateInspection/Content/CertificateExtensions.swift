/// The extensions of a certificate that decide over it: RFC 5280, section 4.2.
package struct CertificateExtensions: Sendable {
    package static let countMax = 128
    package static let alternativeNamesMax = 16_384
    package static let listMax = 1024

    /// The last number of an extension under id-ce.
    enum Known: UInt8 {
        case subjectKeyId = 14
        case keyUsage = 15
        case subjectAlternativeName = 17
        case issuerAlternativeName = 18
        case basicConstraints = 19
        case nameConstraints = 30
        case distributionPoints = 31
        case policies = 32
        case policyMappings = 33
        case authorityKeyId = 35
        case policyConstraints = 36
        case extendedKeyUsage = 37
        case inhibitAnyPolicy = 54
    }

    package struct Policy: Equatable, Sendable {
        let id: [UInt8]
    }

    package private(set) var isAuthority = false
    package private(set) var pathLength: Int?
    /// Bits as RFC 5280 numbers them: 0 digitalSignature … 5 keyCertSign, 6 cRLSign.
    package private(set) var keyUsage: UInt16?
    package private(set) var purposes: [ArraySlice<UInt8>]?
    package private(set) var alternativeNames: [GeneralName]?
    package private(set) var nameConstraints: NameConstraintsContent?
    package private(set) var subjectKeyId: ArraySlice<UInt8>?
    package private(set) var authorityKeyId: ArraySlice<UInt8>?
    /// As it stands; read when a list is to be fetched.
    private(set) var distributionPoints: ArraySlice<UInt8>?
    package private(set) var policies: [[UInt8]]?
    package private(set) var policyMappings: [(issuer: [UInt8], subject: [UInt8])] = []
    package private(set) var requireExplicitPolicy: Int?
    package private(set) var inhibitPolicyMapping: Int?
    package private(set) var inhibitAnyPolicy: Int?
    /// An extension that decides and cannot be read.
    package private(set) var isMalformed = false
    package private(set) var hasDuplicates = false
    /// A critical extension that is not among these.
    package private(set) var hasUnknownCritical = false
    /// Authority information access is marked critical.
    package private(set) var hasCriticalInformation = false
    private var present: UInt64 = 0
    private var critical: UInt64 = 0

    init() {}

    func has(_ known: Known) -> Bool { present & 1 << UInt64(known.rawValue) != 0 }
    func isCritical(_ known: Known) -> Bool { critical & 1 << UInt64(known.rawValue) != 0 }

    /// From the content of the explicit tag [3].
    init(_ content: ArraySlice<UInt8>) throws(DERError) {
        var outer = DERReader(content)
        var reader = try outer.inside(DERReader.Tag.sequence)
        try outer.end()
        var others: [ArraySlice<UInt8>] = []
        var count = 0
        while !reader.isAtEnd {
            count += 1
            guard count <= Self.countMax else { throw .limit }
            var one = try reader.inside(DERReader.Tag.sequence)
            let id = try one.content(DERReader.Tag.objectIdentifier)
            let isCritical = try one.optional(DERReader.Tag.bool).map { bytes throws(DERError) in try DERReader.bool(bytes) } ?? false
            let value = try one.content(DERReader.Tag.octetString)
            try one.end()
            if id.count == 3, id.starts(with: ObjectId.extensionPrefix), let known = Known(rawValue: id.last ?? 0) {
                let bit: UInt64 = 1 << UInt64(known.rawValue)
                if present & bit != 0 { hasDuplicates = true }
                present |= bit
                if isCritical { critical |= bit }
                do throws(DERError) { try read(known, value) } catch { isMalformed = true }
            } else {
                if others.contains(where: { $0.elementsEqual(id) }) { hasDuplicates = true }
                others.append(id)
                // Authority information access must not be critical, but decides nothing about a path.
                if isCritical {
                    if id.elementsEqual(ObjectId.authorityInformation) { hasCriticalInformation = true } else { hasUnknownCritical = true }
                }
            }
        }
        guard count > 0 else { throw .value }
    }

    private mutating func read(_ known: Known, _ value: ArraySlice<UInt8>) throws(DERError) {
        var reader = DERReader(value)
        switch known {
        case .subjectKeyId: subjectKeyId = try reader.content(DERReader.Tag.octetString)
        case .keyUsage:
            let flags = try DERReader.flags(try reader.content(DERReader.Tag.bitString))
            keyUsage = flags
            guard flags != 0 else { throw .value }
        case .subjectAlternativeName:
            // Set before it is read: names that cannot be read are not the same as none.
            alternativeNames = []
            alternativeNames = try GeneralName.list(try reader.content(DERReader.Tag.sequence), max: Self.alternativeNamesMax)
        case .basicConstraints: try readBasicConstraints(try reader.inside(DERReader.Tag.sequence))
        case .nameConstraints: nameConstraints = try NameConstraintsContent(try reader.content(DERReader.Tag.sequence))
        case .policies: policies = try Self.policies(try reader.inside(DERReader.Tag.sequence))
        case .policyMappings: policyMappings = try Self.mappings(try reader.inside(DERReader.Tag.sequence))
        case .authorityKeyId:
            var inner = try reader.inside(DERReader.Tag.sequence)
            authorityKeyId = try inner.optional(0x80)
        case .policyConstraints: try readPolicyConstraints(try reader.inside(DERReader.Tag.sequence))
        case .extendedKeyUsage: purposes = try Self.objects(try reader.inside(DERReader.Tag.sequence))
        case .inhibitAnyPolicy: inhibitAnyPolicy = try DERReader.small(try reader.content(DERReader.Tag.integer))
        case .issuerAlternativeName: _ = try reader.content(DERReader.Tag.sequence)
        case .distributionPoints:
            _ = try reader.content(DERReader.Tag.sequence)
            distributionPoints = value
        }
        try reader.end()
    }

    private mutating func readBasicConstraints(_ content: DERReader) throws(DERError) {
        var reader = content
        if let flag = try reader.optional(DERReader.Tag.bool) {
            isAuthority = try DERReader.bool(flag)
            // DER leaves a default value out.
            guard isAuthority else { throw .value }
        }
        if let length = try reader.optional(DERReader.Tag.integer) { pathLength = try DERReader.small(length) }
        try reader.end()
    }

    private mutating func readPolicyConstraints(_ content: DERReader) throws(DERError) {
        var reader = content
        if let bytes = try reader.optional(0x80) { requireExplicitPolicy = try DERReader.small(bytes) }
        if let bytes = try reader.optional(0x81) { inhibitPolicyMapping = try DERReader.small(bytes) }
        try reader.end()
        guard requireExplicitPolicy != nil || inhibitPolicyMapping != nil else { throw .value }
    }

    private static func policies(_ content: DERReader) throws(DERError) -> [[UInt8]] {
        var reader = content
        var found: [[UInt8]] = []
        while !reader.isAtEnd {
            guard found.count < listMax else { throw .limit }
            var one = try reader.inside(DERReader.Tag.sequence)
            let id = Array(try one.content(DERReader.Tag.objectIdentifier))
            // RFC 5280, section 4.2.1.4: a policy must not appear more than once.
            guard !found.contains(id) else { throw .value }
            found.append(id)
        }
        guard !found.isEmpty else { throw .value }
        return found
    }

    private static func mappings(_ content: DERReader) throws(DERError) -> [(issuer: [UInt8], subject: [UInt8])] {
        var reader = content
        var found: [(issuer: [UInt8], subject: [UInt8])] = []
        while !reader.isAtEnd {
            guard found.count < listMax else { throw .limit }
            var pair = try reader.inside(DERReader.Tag.sequence)
            let issuer = Array(try pair.content(DERReader.Tag.objectIdentifier))
            let subject = Array(try pair.content(DERReader.Tag.objectIdentifier))
            try pair.end()
            found.append((issuer, subject))
        }
        guard !found.isEmpty else { throw .value }
        return found
    }

    private static func objects(_ content: DERReader) throws(DERError) -> [ArraySlice<UInt8>] {
        var reader = content
        var found: [ArraySlice<UInt8>] = []
        while !reader.isAtEnd {
            guard found.count < listMax else { throw .limit }
            found.append(try reader.content(DERReader.Tag.objectIdentifier))
        }
        guard !found.isEmpty else { throw .value }
        return found
    }
}
