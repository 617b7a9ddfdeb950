/// A `SubjectPublicKeyInfo`: what can be said of a key without libcrypto.
package struct PublicKeyContent: Sendable {
    package enum Kind: Equatable, Sendable {
        case rsa(bits: Int)
        case p256, p384, p521
        /// Another curve that is named.
        case otherCurve
        /// A curve that is spelled out: CVE-2020-0601 was of this kind.
        case explicitCurve
        case edwards
        /// ML-DSA, SLH-DSA, ML-KEM.
        case quantumSafe
        case other
    }

    package let kind: Kind
    /// The whole of it: what two certificates with one key have in common.
    package let whole: ArraySlice<UInt8>
    /// Of an RSA key, big-endian and without leading zeros; empty otherwise.
    package let modulus: ArraySlice<UInt8>
    package let exponent: ArraySlice<UInt8>

    init(_ element: DERElement) throws(DERError) {
        whole = element.whole
        var reader = DERReader(element.content)
        var algorithm = try reader.inside(DERReader.Tag.sequence)
        let id = try algorithm.content(DERReader.Tag.objectIdentifier)
        let parameters = algorithm.isAtEnd ? nil : try algorithm.element()
        try algorithm.end()
        let bits = try reader.content(DERReader.Tag.bitString)
        try reader.end()
        guard bits.first == 0 else { throw .value }
        guard id.elementsEqual(ObjectId.rsaEncryption) || id.elementsEqual(ObjectId.rsaPSS) else {
            kind = Self.kind(id, parameters)
            modulus = []
            exponent = []
            return
        }
        var key = DERReader(bits.dropFirst())
        var pair = try key.inside(DERReader.Tag.sequence)
        modulus = (try pair.content(DERReader.Tag.integer)).drop { $0 == 0 }
        exponent = (try pair.content(DERReader.Tag.integer)).drop { $0 == 0 }
        guard let first = modulus.first else { throw .value }
        kind = .rsa(bits: modulus.count * 8 - first.leadingZeroBitCount)
    }

    private static func kind(_ id: ArraySlice<UInt8>, _ parameters: DERElement?) -> Kind {
        if id.elementsEqual(ObjectId.ecPublicKey) {
            guard let parameters, parameters.tag == DERReader.Tag.objectIdentifier else { return .explicitCurve }
            if parameters.content.elementsEqual(ObjectId.p256) { return .p256 }
            if parameters.content.elementsEqual(ObjectId.p384) { return .p384 }
            return parameters.content.elementsEqual(ObjectId.p521) ? .p521 : .otherCurve
        }
        if id.count == 3, id.starts(with: ObjectId.edwardsPrefix) { return .edwards }
        let isNIST = id.starts(with: ObjectId.nistSignaturePrefix) || id.starts(with: ObjectId.nistEncapsulationPrefix)
        guard isNIST, let last = id.last else { return .other }
        return id.starts(with: ObjectId.nistEncapsulationPrefix) || (17...46).contains(last) ? .quantumSafe : .other
    }
}

/// The digest and kind of a signature, as far as it matters whether they can be relied on.
package enum SignatureStrength: UInt8, Sendable {
    /// RSA, PSS or ECDSA over SHA-256, SHA-384 or SHA-512: what the CA/Browser Forum allows.
    case webPKI
    /// As strong, but of another kind: EdDSA, ML-DSA, SLH-DSA.
    case strong
    case sha1
    /// MD2, MD4 or MD5.
    case broken
    case unknown

    /// From an `AlgorithmIdentifier`'s content.
    init(_ content: ArraySlice<UInt8>) throws(DERError) {
        var reader = DERReader(content)
        let id = try reader.content(DERReader.Tag.objectIdentifier)
        let last = id.last ?? 0
        if id.elementsEqual(ObjectId.rsaPSS) {
            self = try Self.pss(&reader)
        } else if id.count == 9, id.starts(with: ObjectId.pkcs1Prefix) {
            switch last {
            case 2, 3, 4: self = .broken
            case 5: self = .sha1
            case 11, 12, 13: self = .webPKI
            default: self = .unknown
            }
        } else if id.count == 8, id.starts(with: ObjectId.ecdsaSHA2Prefix) {
            self = (2...4).contains(last) ? .webPKI : .unknown
        } else if id.elementsEqual(ObjectId.ecdsaSHA1) || id.elementsEqual(ObjectId.dsaSHA1) {
            self = .sha1
        } else if id.count == 3, id.starts(with: ObjectId.edwardsPrefix) {
            self = .strong
        } else {
            self = id.starts(with: ObjectId.nistSignaturePrefix) && last > 1 ? .strong : .unknown
        }
    }

    /// RSASSA-PSS names its digest in its parameters; left out, it is SHA-1 (RFC 4055).
    private static func pss(_ reader: inout DERReader) throws(DERError) -> SignatureStrength {
        guard var parameters = try reader.optional(DERReader.Tag.sequence).map({ DERReader($0) }) else { return .unknown }
        guard let hash = try parameters.optional(0xA0) else { return .sha1 }
        var inner = DERReader(hash)
        var algorithm = try inner.inside(DERReader.Tag.sequence)
        let id = try algorithm.content(DERReader.Tag.objectIdentifier)
        return id.starts(with: ObjectId.nistDigestPrefix) && (1...3).contains(id.last ?? 0) ? .webPKI : .unknown
    }
}
