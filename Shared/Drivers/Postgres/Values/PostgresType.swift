/// The server's number of a type, as in `pg_type.dat`. Those below are the same in every server.
package struct PostgresType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let boolean = PostgresType(rawValue: 16)
    package static let bytes = PostgresType(rawValue: 17)
    package static let name = PostgresType(rawValue: 19)
    package static let integer8 = PostgresType(rawValue: 20)
    package static let integer2 = PostgresType(rawValue: 21)
    package static let integer4 = PostgresType(rawValue: 23)
    package static let text = PostgresType(rawValue: 25)
    package static let objectId = PostgresType(rawValue: 26)
    package static let json = PostgresType(rawValue: 114)
    package static let float4 = PostgresType(rawValue: 700)
    package static let float8 = PostgresType(rawValue: 701)
    package static let unknown = PostgresType(rawValue: 705)
    package static let paddedCharacters = PostgresType(rawValue: 1042)
    package static let characters = PostgresType(rawValue: 1043)
    package static let timestamp = PostgresType(rawValue: 1114)
    package static let timestampWithZone = PostgresType(rawValue: 1184)
    package static let numeric = PostgresType(rawValue: 1700)
    package static let jsonb = PostgresType(rawValue: 3802)
    package static let integer8Multirange = PostgresType(rawValue: 4536)

    private static let elements: [UInt32: PostgresType] = [
        1000: .boolean, 1001: .bytes, 1003: .name, 1005: .integer2, 1007: .integer4, 1009: .text, 1014: .paddedCharacters, 1015: .characters,
        1016: .integer8, 1021: .float4, 1022: .float8, 1028: .objectId, 1115: .timestamp, 1185: .timestampWithZone, 199: .json, 3807: .jsonb,
        1231: .numeric,
    ]

    /// The type of an array's elements; nil when this is not an array that is known here.
    package var element: PostgresType? { Self.elements[rawValue] }

    var isText: Bool {
        switch self {
        case .text, .characters, .paddedCharacters, .name, .unknown, .json, .jsonb: true
        default: false
        }
    }

    /// As SQL has it, for messages.
    package var description: String {
        switch self {
        case .boolean: "boolean"
        case .bytes: "bytea"
        case .name: "name"
        case .integer8: "bigint"
        case .integer2: "smallint"
        case .integer4: "integer"
        case .text: "text"
        case .objectId: "oid"
        case .json: "json"
        case .float4: "real"
        case .float8: "double precision"
        case .paddedCharacters: "char"
        case .characters: "varchar"
        case .timestamp: "timestamp"
        case .timestampWithZone: "timestamptz"
        case .numeric: "numeric"
        case .jsonb: "jsonb"
        case .integer8Multirange: "int8multirange"
        default: element.map { $0.description + "[]" } ?? "type " + String(rawValue)
        }
    }
}
