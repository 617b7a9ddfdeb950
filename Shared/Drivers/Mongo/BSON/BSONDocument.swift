/// A document of BSON: members in order. Commands need their name to be first.
package struct BSONDocument: Sendable {
    package private(set) var members: [(name: String, value: BSONValue)]

    package init() { members = [] }

    package init(_ members: [(String, BSONValue)]) { self.members = members.map { (name: $0.0, value: $0.1) } }

    package var isEmpty: Bool { members.isEmpty }

    /// The first member of a name. Setting nil takes it away, anything else puts it in its place or at the end.
    package subscript(_ name: String) -> BSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }

    package mutating func append(_ name: String, _ value: BSONValue) { members.append((name, value)) }
}

extension BSONDocument: Equatable {
    package static func == (a: BSONDocument, b: BSONDocument) -> Bool {
        a.members.count == b.members.count && zip(a.members, b.members).allSatisfy { $0.name == $1.name && $0.value == $1.value }
    }
}

extension BSONDocument: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral members: (String, BSONValue)...) { self.init(members) }
}
