import PostgresDriver
import TimeSeriesStores

/// `certificate_metrics`: a row a validation.
extension TimescaleStore {
    package func keep(_ validations: [CertificateValidation]) async throws {
        guard !validations.isEmpty else { return }
        let plan = try requirePlan("keep validations")
        let table = TimeTable.certificateMetrics
        try await write("keep validations") { () async throws(PostgresError) in
            if plan.layout == .partitions {
                try await makePartitions(Set(validations.map { .init(table: table, number: table.partition(of: $0.at)) }))
            }
            try await pool.run { (connection) throws(PostgresError) in
                // The id is the validation's own: one that comes again is there already.
                _ = try connection.run(
                    """
                    INSERT INTO certificate_metrics (id, certificate_id, validation_time, response_time, security_score, "timestamp")
                    SELECT * FROM unnest($1::int8[], $2::text[], $3::float8[], $4::float8[], $5::float8[], $6::timestamptz[])
                    ON CONFLICT (id, "timestamp") DO NOTHING
                    """,
                    [
                        .integers(validations.map { $0.id }), .texts(validations.map { $0.certificate }),
                        .doubles(validations.map { $0.validationTime }), .doubles(validations.map { $0.responseTime }),
                        .doubles(validations.map { $0.securityScore }), .timestamps(validations.map { $0.at }),
                    ])
            }
        }
    }

    package func validations(of certificate: String, limit: Int) async throws -> [CertificateValidation] {
        try await read("read validations") { (connection) throws(PostgresError) in
            let rows = try connection.query(
                """
                SELECT id, validation_time, response_time, security_score, "timestamp" FROM certificate_metrics
                WHERE certificate_id = $1 ORDER BY "timestamp" DESC, id DESC LIMIT $2
                """, [.text(certificate.withoutZeros), .integer(Int64(limit))])
            var found: [CertificateValidation] = []
            for row in rows {
                found.append(
                    CertificateValidation(
                        id: try row.decode(at: 0), certificate: certificate, validationTime: try row.decode(at: 1),
                        responseTime: try row.decode(at: 2), securityScore: try row.decode(at: 3),
                        at: try row.decode(PostgresTimestamp.self, at: 4).milliseconds))
            }
            return found
        }
    }
}
