import SQLiteDriver
import ServiceSupport

/// The make of the document role that needs no server: JSON in one SQLite file, on a connection and thread of its own. Documents are few and
/// their changes small, so reads and writes share the connection.
package actor EmbeddedDocumentStore: DocumentStore {
    /// Its name in the store's directory.
    package static let file = DocumentSQL.file
    package static var schemaVersion: Int { DocumentSQL.migrations.count }

    private let executor: ThreadExecutor
    private let database: Database
    /// By their SQL, which is made of the code's own names only, so that there are few.
    private var statements: [String: Statement] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens or creates the store in a directory; the error names the path.
    package init(directory: String, schema: EmbeddedDatabase.Schema = .migrated) throws(StoreError) {
        executor = ThreadExecutor(name: "documents")
        database = try EmbeddedDatabase.open(directory: directory, file: DocumentSQL.file, migrations: DocumentSQL.migrations, schema: schema)
    }

    package func get(_ ids: [String], in collection: Collection) throws(StoreError) -> [Document] {
        try accessing("get documents") { () throws(SQLiteError) in try read(ids, collection) }
    }

    private func read(_ ids: [String], _ collection: Collection) throws(SQLiteError) -> [Document] {
        let statement = try self.statement(DocumentSQL.get(collection))
        var documents: [Document] = []
        for id in ids {
            statement.bind(1, id)
            while try statement.step() { documents.append(try Self.document(statement)) }
        }
        return documents
    }

    package func find(_ query: DocumentQuery, in collection: Collection) throws(StoreError) -> [Document] {
        try accessing("find documents") { () throws(SQLiteError) in
            let statement = try self.statement(DocumentSQL.find(query, collection))
            Self.bind(query.conditions, to: statement)
            var next = Int32(query.conditions.count + 1)
            if let after = query.after {
                Self.bind(after.value ?? .null, next, to: statement)
                statement.bind(next + 1, after.id)
                next += 2
            }
            statement.bind(next, Int64(query.limit))
            var documents: [Document] = []
            while try statement.step() { documents.append(try Self.document(statement)) }
            return documents
        }
    }

    package func count(_ conditions: [DocumentCondition], in collection: Collection) throws(StoreError) -> Int {
        try accessing("count documents") { () throws(SQLiteError) in
            let statement = try self.statement(DocumentSQL.count(conditions, collection))
            Self.bind(conditions, to: statement)
            var count: Int64 = 0
            while try statement.step() { count = statement.integer(0) }
            return Int(count)
        }
    }

    package func apply(_ changes: [DocumentChange]) throws(StoreError) {
        guard !changes.isEmpty else { return }
        try accessing("change documents") { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in for change in changes { try apply(change) } }
        }
    }

    package func change(
        reading ids: [Collection: [String]], _ changes: @escaping @Sendable ([Collection: [Document]]) -> [DocumentChange]
    ) throws(StoreError) {
        try accessing("change documents") { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                var found: [Collection: [Document]] = [:]
                for (collection, ids) in ids { found[collection] = try read(ids, collection) }
                for change in changes(found) { try apply(change) }
            }
        }
    }

    private func apply(_ change: DocumentChange) throws(SQLiteError) {
        let statement: Statement
        switch change {
        case .upsert(let document, let collection):
            statement = try self.statement(DocumentSQL.upsert(collection))
            statement.bind(1, document.id)
            statement.bind(2, document.body.json)
        case .upsertUnlessOlder(let document, let field, let collection):
            statement = try self.statement(DocumentSQL.upsertUnlessOlder(by: field, collection))
            statement.bind(1, document.id)
            statement.bind(2, document.body.json)
        case .delete(let id, let collection):
            statement = try self.statement(DocumentSQL.delete(collection))
            statement.bind(1, id)
        case .deleteAll(let conditions, let collection):
            statement = try self.statement(DocumentSQL.deleteAll(conditions, collection))
            Self.bind(conditions, to: statement)
        case .keepGreatest(let count, let field, let collection):
            statement = try self.statement(DocumentSQL.keepGreatest(by: field, collection))
            statement.bind(1, Int64(count))
        }
        try statement.run()
    }

    // MARK: Statements

    private func accessing<Result>(_ operation: String, _ body: () throws(SQLiteError) -> Result) throws(StoreError) -> Result {
        do throws(SQLiteError) { return try body() } catch { throw StoreError(error, operation: operation, path: database.path) }
    }

    private func statement(_ sql: String) throws(SQLiteError) -> Statement {
        if let prepared = statements[sql] { return prepared }
        let prepared = try database.prepare(sql)
        statements[sql] = prepared
        return prepared
    }

    private static func bind(_ conditions: [DocumentCondition], to statement: Statement) {
        for (index, condition) in conditions.enumerated() { bind(condition.value, Int32(index + 1), to: statement) }
    }

    private static func bind(_ value: JSONValue, _ parameter: Int32, to statement: Statement) {
        switch value {
        case .string(let text): statement.bind(parameter, text)
        case .integer(let integer): statement.bind(parameter, integer)
        case .number(let number): statement.bind(parameter, number)
        // json_extract gives 1 and 0 for JSON's true and false.
        case .bool(let bool): statement.bind(parameter, Int64(bool ? 1 : 0))
        case .null, .array, .object: statement.bindNull(parameter)
        }
    }

    private static func document(_ statement: Statement) throws(SQLiteError) -> Document {
        let id = statement.text(0)
        guard let body = try? JSONParser.parse(statement.text(1)) else {
            throw SQLiteError(code: 11, operation: "read a document", detail: "the body of a document is not JSON")
        }
        return Document(id, body)
    }
}
