import LinuxDriver
import OpenSSLDriver

/// What whoever has logged in shows with each request. The cache has its hash alone: who reads the cache cannot show it.
package struct SessionToken: Equatable, Sendable {
    private static let digits = 64
    static let eraBytes = 16

    /// 256 random bits as hexadecimal digits.
    package let text: String

    static func new() -> SessionToken { SessionToken(checked: random(bytes: digits / 2).map(hexadecimal).joined()) }

    static func newEra() -> [UInt8] { random(bytes: eraBytes) }

    private init(checked text: String) { self.text = text }

    /// Nil for what can be none, so that nothing of a stranger's choosing is asked for.
    package init?(_ text: String) {
        guard text.utf8.count == Self.digits, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.text = text
    }

    var key: CacheKey { CacheKey(.session, Fingerprint.sha256(Array(text.utf8))) }

    private static func isDigit(_ byte: UInt8) -> Bool {
        UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    private static func random(bytes count: Int) -> [UInt8] {
        (0..<count / 8).flatMap { _ in
            let word = Random.uint64()
            return (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64($0 * 8)) }
        }
    }
}
