import RedisDriver
import RedisStores
import Settings

extension SettingsReader {
    private static let connectionsRange: ClosedRange<Int64> = 1...100
    private static let timeoutRange: ClosedRange<Int64> = 10...10_000

    /// The keys under `cache.redis`; nil when no server is named.
    mutating func redis() -> RedisCacheOptions? {
        let uri = optionalString("cache.redis.uri")
        let passwordFile = optionalString("cache.redis.password_file")
        let authority = readableFile("cache.redis.ca_file")
        let certificate = readableFile("cache.redis.certificate_file")
        let key = readableFile("cache.redis.key_file")
        let connections = integer("cache.redis.connections_max", default: 4, in: Self.connectionsRange)
        let timeout = duration("cache.redis.timeout", default: 250, in: Self.timeoutRange)
        guard let uri else {
            if passwordFile != nil { refuse("cache.redis.password_file", "cache.redis.uri is not set") }
            return nil
        }
        guard var server = redisServer(uri) else { return nil }
        if server.tls != nil {
            server.tls = RedisTLS(authorityFile: authority, certificateFile: certificate, keyFile: key)
        } else {
            for (name, file) in [("ca_file", authority), ("certificate_file", certificate), ("key_file", key)] where file != nil {
                refuse("cache.redis." + name, "cache.redis.uri asks for no TLS: it begins with rediss:// where that is meant")
            }
        }
        if let certificate, key == nil, canRead(certificate), !hasPrivateKey(certificate) {
            refuse("cache.redis.certificate_file", "there is no private key in it: name its file by cache.redis.key_file")
        }
        if key != nil, certificate == nil { refuse("cache.redis.key_file", "cache.redis.certificate_file is not set") }
        if let passwordFile {
            guard let password = password(in: passwordFile, of: "cache.redis.password_file") else { return nil }
            server.password = password
        }
        if server.user != nil, server.password == nil {
            refuse("cache.redis.uri", "it names a user without a password: add cache.redis.password_file")
            return nil
        }
        return RedisCacheOptions(server, timeout: .milliseconds(timeout), connectionsMax: Int(connections))
    }

    private mutating func redisServer(_ uri: String) -> RedisOptions? {
        do throws(RedisError) { return try RedisOptions(uri) } catch {
            refuse("cache.redis.uri", error.detail)
            return nil
        }
    }
}
