import PostgresDriver

/// Whether TimescaleDB, which is not in a database yet, can be added to it. Changes nothing.
package enum ExtensionCheck: Equatable, Sendable {
    case mayBeAdded
    case roleMayNot
    /// The server has no such extension.
    case missing

    /// What to do where the role may not.
    package static let remedy = "have CREATE EXTENSION timescaledb run in the database by one that may"

    package static func look(_ connection: PostgresConnection) throws(PostgresError) -> ExtensionCheck {
        // "trusted: … allows some non-superusers to install an extension that has superuser set to true", those "with CREATE privilege on the
        // current database".
        let rows = try connection.query(
            """
            SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) OR NOT superuser
                OR trusted AND has_database_privilege(current_database(), 'CREATE')
            FROM pg_available_extensions JOIN pg_available_extension_versions ON pg_available_extension_versions.name = pg_available_extensions.name
                AND version = default_version
            WHERE pg_available_extensions.name = 'timescaledb'
            """)
        guard rows.count == 1 else { return .missing }
        return try rows[0].decode(Bool.self, at: 0) ? .mayBeAdded : .roleMayNot
    }
}
