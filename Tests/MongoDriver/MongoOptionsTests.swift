import MongoDriver
import Testing

@Suite struct MongoOptionsTests {
    @Test func `a URI says where the server is, and its description tells no secret`() throws {
        var options = try MongoOptions("mongodb://agent:geheim@a.example:27018,b.example/fleet?replicaSet=rs0&tls=true")
        #expect(options.description == "a.example:27018,b.example:27017/fleet")
        #expect(options.replicaSet == "rs0" && options.usesTLS)
        try options.set(database: "other")
        #expect(options.description.hasSuffix("/other"))
        #expect(try MongoOptions("mongodb://localhost").database == "farwatch")
    }

    @Test(arguments: [
        "postgres://localhost/x", "mongodb://", "mongodb://agent:geheim@[host/x", "mongodb://agent:gehe/im@host/x", "mongodb://host/?w=0",
        "mongodb://agent:geheim@host/?readPreference=secondary", "mongodb://host/?retryWrites=false", "mongodb://agent:geheim@host:99999999/",
        "mongodb://agent:geheim@host/?tlsCaFile", "mongodb://agent:geheim@host/?speed=high", "mongodb://agent:geheim:more@host",
    ])
    func `a URI that cannot be meant is refused, and its password is not told`(text: String) throws {
        let error = try #require(throws: MongoError.self) { _ = try MongoOptions(text) }
        #expect(error.reason == .configuration && !error.isTransient)
        #expect(!error.description.contains("gehe") && error.detail.count > 10)
    }

    @Test func `a password needs a user, and a database a name that can be one`() throws {
        var options = try MongoOptions("mongodb://host")
        #expect(throws: MongoError.self) { try options.set(password: "x") }
        for name in ["", "a b", "a.b", "$a", String(repeating: "x", count: 64)] {
            #expect(throws: MongoError.self) { try options.set(database: name) }
        }
    }
}
