import PostgresDriver
import Telemetry
import TimeSeriesStores

/// The table `stream_accounts`.
struct AccountTable {
    let connection: PostgresConnection

    func accounts(_ keys: Set<GroupAccounts.Key>) throws(PostgresError) -> GroupAccounts {
        let asked = Array(keys)
        let rows = try connection.query(
            """
            SELECT device, stream, floor, closed, refused FROM stream_accounts
            JOIN unnest($1::int8[], $2::int8[]) AS asked (device, stream) USING (device, stream)
            """, [.integers(asked.map { $0.device }), .integers(asked.map { Int64(bitPattern: $0.stream) })])
        var accounts: [GroupAccounts.Key: TakenSequences] = [:]
        for row in rows {
            let key = GroupAccounts.Key(device: try row.decode(at: 0), stream: UInt64(bitPattern: try row.decode(Int64.self, at: 1)))
            accounts[key] = try Self.account(row, from: 2)
        }
        return GroupAccounts(accounts)
    }

    /// The columns `floor`, `closed` and `refused` begin at `first`.
    static func account(_ row: PostgresRow, from first: Int) throws(PostgresError) -> TakenSequences {
        let floor = UInt64(bitPattern: try row.decode(Int64.self, at: first))
        let closed = try row.decode(PostgresBytes.self, at: first + 1).bytes
        let refused = try row.decodeIfPresent(PostgresBytes.self, at: first + 2)?.bytes
        do throws(DecodingError) {
            return TakenSequences(
                floor: floor, closed: try SequenceRanges(decoding: closed), refused: try refused.map(Self.ranges) ?? SequenceRanges())
        } catch {
            // Going on with an empty account would count batches twice.
            throw PostgresError(.decoding, operation: "read the table stream_accounts", detail: "the ranges of a stream cannot be decoded")
        }
    }

    private static func ranges(_ bytes: [UInt8]) throws(DecodingError) -> SequenceRanges { try SequenceRanges(decoding: bytes) }

    static func update(_ accounts: GroupAccounts) -> PostgresCommand {
        let keys = Array(accounts.changed)
        let values = keys.map { accounts[$0] }
        return PostgresCommand(
            """
            INSERT INTO stream_accounts (device, stream, floor, closed, refused)
            SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::bytea[], $5::bytea[])
            ON CONFLICT (device, stream) DO UPDATE SET floor = excluded.floor, closed = excluded.closed, refused = excluded.refused
            """,
            [
                .integers(keys.map { $0.device }), .integers(keys.map { Int64(bitPattern: $0.stream) }),
                .integers(values.map { Int64(bitPattern: $0.floor) }), .array(values.map { .bytes($0.closed.encoded()) }),
                .array(values.map { $0.refused.ranges.isEmpty ? .null : .bytes($0.refused.encoded()) }),
            ])
    }
}
