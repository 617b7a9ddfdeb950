import Settings

/// What is looked at, in this order.
enum Doctor {
    static func checks(_ settings: CollectorSettings) -> [any DoctorCheck] {
        var checks: [any DoctorCheck] = [
            MachineCheck(broker: settings.broker, passwordFiles: settings.passwordFiles), DirectoryCheck(directory: settings.dataDirectory),
            BrokerCheck(options: settings.broker),
        ]
        checks.append(
            EmbeddedStoreCheck(directory: settings.dataDirectory, hasSamples: settings.postgres == nil, hasDocuments: settings.mongo == nil))
        if let postgres = settings.postgres { checks.append(PostgresCheck(options: postgres)) }
        if let mongo = settings.mongo { checks.append(MongoCheck(options: mongo)) }
        if let redis = settings.redis { checks.append(RedisCheck(options: redis)) }
        return checks
    }

    static func findings(_ settings: CollectorSettings) async -> [DoctorFinding] {
        var findings: [DoctorFinding] = []
        for check in checks(settings) { findings += await check.findings() }
        return findings
    }
}
