/// What somebody else, another collector or a person, did to documents: what is remembered of them has to be read again.
package enum DocumentNews: Equatable, Sendable {
    /// Documents of a collection were written or deleted.
    case changed(Set<String>, in: Collection)
    /// Anything may be different: what happened meanwhile is not known.
    case unknown
}
