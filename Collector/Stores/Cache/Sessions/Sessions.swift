import OpenSSLDriver

/// Who is logged in, kept in the cache: losing it means to log in again.
///
/// A user has an era, a random number of which each session knows the one it was made in. A session counts only while its user is in that era; to end
/// all of a user's sessions is to forget the era. Nothing that goes on at the same time brings it back: it is made only where there is none, and its
/// life is only ever lengthened while it is there.
package struct Sessions: Sendable {
    /// Milliseconds after which somebody has to log in again, however busy the session is.
    package static let ageMax: Int64 = 7 * 86_400_000

    private let cache: any Cache

    package init(_ cache: any Cache) { self.cache = cache }

    /// Begins a session.
    /// - Parameters:
    ///   - user: at most `Session.userBytesMax` bytes.
    ///   - now: milliseconds since 1970.
    /// - Returns: nil when the cache does not keep it: there are as many as there may be.
    package func create(for user: String, at now: Int64) async -> SessionToken? {
        guard (1...Session.userBytesMax).contains(user.utf8.count) else { return nil }
        let eraKey = Self.eraKey(user)
        await cache.write([.add(eraKey, SessionToken.newEra())])
        guard let era = await cache.get(eraKey) else { return nil }
        let token = SessionToken.new()
        await cache.set(token.key, Session(user: user, createdAt: now, era: era).encoded)
        _ = await cache.touch([eraKey])
        return await read(token, at: now) == nil ? nil : token
    }

    /// The session that a token is of; nil when it has ended or never was.
    package func read(_ token: SessionToken, at now: Int64) async -> Session? {
        guard let bytes = await cache.get(token.key), let session = Session(bytes), now - session.createdAt < Self.ageMax,
            await cache.get(Self.eraKey(session.user)) == session.era
        else { return nil }
        return session
    }

    /// The same, and lets it live on for as long as one that is new.
    package func touch(_ token: SessionToken, at now: Int64) async -> Session? {
        guard let session = await read(token, at: now) else { return nil }
        // The era must not end before the session does.
        let there = await cache.touch([token.key, Self.eraKey(session.user)])
        return there.count == 2 ? session : nil
    }

    package func end(_ token: SessionToken) async { await cache.remove(token.key) }

    /// Ends all sessions of a user, whichever collector they were begun at.
    package func endAll(of user: String) async { await cache.remove(Self.eraKey(user)) }

    /// A name may have braces, which mean something in a key.
    private static func eraKey(_ user: String) -> CacheKey { CacheKey(.sessionEra, Fingerprint.sha256(Array(user.utf8))) }
}
