/// Why a message will never be accepted: a reason from a closed list, which metrics count by, and words for the device's log.
package struct Refusal: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Reason: Equatable, Sendable {
        /// The bytes are no batch, or its payload is no block; with the decoder's own name.
        case undecodable(String)
        /// The batch names another device than its topic.
        case foreignDevice
        case tooEarly
        case tooLate
        /// A document that is no JSON object with a `type`.
        case notDocument
        /// No service takes documents of this type.
        case unknownType
        /// A service says that the document's content is not what its type promises.
        case badDocument
        /// The sequence lies below what the store still keeps account of.
        case forgotten
        /// It stands for several sequences of which some are taken.
        case overlap
        /// The store will not take it, whatever the reason, while it takes others.
        case storeRefused

        package var name: String {
            switch self {
            case .undecodable(let name): name
            case .foreignDevice: "foreign_device"
            case .tooEarly: "too_early"
            case .tooLate: "too_late"
            case .notDocument: "not_a_document"
            case .unknownType: "unknown_type"
            case .badDocument: "bad_document"
            case .forgotten: "forgotten"
            case .overlap: "overlap"
            case .storeRefused: "store_refused"
            }
        }
    }

    package let reason: Reason
    package let detail: String

    package init(_ reason: Reason, _ detail: String) {
        self.reason = reason
        self.detail = detail
    }

    package var description: String { reason.name + ": " + detail }
}
