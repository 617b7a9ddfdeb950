import SQLiteDriver

/// The embedded make's table `certificate_metrics`.
struct CertificateMetricTable {
    /// Rows between two looks at the bound.
    private static let trimInterval = 10_000

    private let insert, trim: Statement
    private var untrimmed = 0

    init(_ database: Database) throws(SQLiteError) {
        insert = try database.prepare(
            """
            INSERT OR IGNORE INTO certificate_metrics (id, certificate_id, validation_time, response_time, security_score, timestamp_ms)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)
            """)
        trim = try database.prepare(
            """
            DELETE FROM certificate_metrics WHERE timestamp_ms < (
                SELECT timestamp_ms FROM certificate_metrics ORDER BY timestamp_ms DESC LIMIT 1 OFFSET ?1
            )
            """)
    }

    /// Within a transaction. The oldest go when there are too many.
    mutating func keep(_ validations: [CertificateValidation]) throws(SQLiteError) {
        for one in validations {
            insert.bind(1, one.id)
            insert.bind(2, one.certificate)
            insert.bind(3, one.validationTime)
            insert.bind(4, one.responseTime)
            insert.bind(5, one.securityScore)
            insert.bind(6, one.at)
            try insert.run()
        }
        untrimmed += validations.count
        guard untrimmed >= Self.trimInterval else { return }
        untrimmed = 0
        trim.bind(1, Int64(TimeSeriesLimits.certificateMetricsMax - 1))
        try trim.run()
    }

    static let select = """
        SELECT id, validation_time, response_time, security_score, timestamp_ms FROM certificate_metrics
        WHERE certificate_id = ?1 ORDER BY timestamp_ms DESC, id DESC LIMIT ?2
        """

    static func rows(_ select: Statement, of certificate: String, limit: Int) throws(SQLiteError) -> [CertificateValidation] {
        select.bind(1, certificate)
        select.bind(2, Int64(limit))
        var rows: [CertificateValidation] = []
        while try select.step() {
            rows.append(
                CertificateValidation(
                    id: select.integer(0), certificate: certificate, validationTime: select.double(1), responseTime: select.double(2),
                    securityScore: select.double(3), at: select.integer(4)))
        }
        return rows
    }
}
