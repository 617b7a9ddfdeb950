import ArgumentParser

/// Items of quarantine that are named one by one.
struct ItemArguments: ParsableArguments {
    @Argument(help: "The items' ids.") var ids: [Int64]

    func validate() throws { try Self.check(ids) }

    func each(_ body: (Int64) async throws -> Void) async throws { try await Self.each(ids, body) }

    static func check(_ ids: [Int64]) throws {
        if let id = ids.first(where: { $0 < 1 }) { throw ValidationError("An item's id is a whole number from 1 on, not \(id).") }
    }

    /// Does each once. One that is not there is told, and does not keep the others from being done.
    static func each(_ ids: [Int64], _ body: (Int64) async throws -> Void) async throws {
        var isMissing = false
        var done: Set<Int64> = []
        for id in ids where done.insert(id).inserted {
            do { try await body(id) } catch let code as ExitCode where code == Exit.notFound { isMissing = true }
        }
        if isMissing { throw Exit.notFound }
    }
}
