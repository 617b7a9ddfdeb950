import LinuxDriver
import MongoDriver
import MongoStores
import Settings

/// The MongoDB server that keeps documents: whether it is reached, what it is, and whether the database is set up.
struct MongoCheck: DoctorCheck {
    private static let subject = "mongo"
    private static let setup = "mongo setup"
    /// Of what is missing, the first so many are named.
    private static let namedMax = 5

    let options: MongoDocumentOptions

    func findings() async -> [DoctorFinding] {
        let place = options.server.description
        let eventsKept = options.eventsKept
        do throws(MongoError) {
            let pool = try MongoPool(options.server)
            return try await pool.run { (client) throws(MongoError) in
                let plan = try MongoSetup(client, eventsKept: eventsKept).plan()
                return [server(place, plan.server), Self.setup(plan)] + Self.rights(missing: try MongoRights.missing(client))
            }
        } catch {
            if let name = await otherName() {
                let detail = "\(place) is of a replica set that is called \(name), not \(options.server.replicaSet ?? "")"
                return [.problem(Self.subject, detail, "say replicaSet=\(name) in documents.mongo.uri")]
            }
            return [.problem(Self.subject, "\(place): \(error)", MongoRemedy.text(error.reason))]
        }
    }

    /// What the set is called, where the URI says otherwise: libmongoc tells no more than that it has found no server.
    private func otherName() async -> String? {
        guard let server = options.server.withoutReplicaSet, let pool = try? MongoPool(server) else { return nil }
        let found = try? await pool.run { (client) throws(MongoError) in try client.server().setName }
        guard let name = found, name != options.server.replicaSet else { return nil }
        return name
    }

    private func server(_ place: String, _ server: MongoServer) -> DoctorFinding {
        let detail = "\(place) is \(server.description)"
        if let advice = options.advice(on: server) { return .advice(Self.subject, detail, advice) }
        guard server.kind == .single else { return .ok(Self.subject, detail) }
        return .advice(Self.subject, detail, "a replica set keeps documents when a disk is lost, and has transactions")
    }

    private static func rights(missing: [String]) -> [DoctorFinding] {
        guard !missing.isEmpty else { return [] }
        return [.problem("mongo rights", "the user may not " + missing.joined(separator: ", "), MongoRemedy.text(.permission))]
    }

    private static func setup(_ plan: MongoSetup.Plan) -> DoctorFinding {
        if let unknown = plan.unknown {
            return .problem(setup, "it has version \(unknown), this program knows \(MongoSetup.version)", "use the newer collector")
        }
        guard !plan.steps.isEmpty else { return .ok(setup, "version \(MongoSetup.version), nothing is missing") }
        let named = plan.steps.prefix(namedMax).map { $0.description }.joined(separator: ", ")
        let more = plan.steps.count > namedMax ? " and \(plan.steps.count - namedMax) more" : ""
        return .advice(setup, "missing: " + named + more, "serve sees to it at its start, farwatch-collector migrate does now")
    }
}

/// What to do about an error of the server's.
enum MongoRemedy {
    static func text(_ reason: MongoErrorReason) -> String {
        switch reason {
        case .configuration: "check documents.mongo.uri"
        case .authentication: "check the user and authSource in documents.mongo.uri, and documents.mongo.password_file"
        case .tls:
            "see that the server speaks TLS (else leave out tls=true), check tlsCAFile and tlsCertificateKeyFile in documents.mongo.uri, "
                + "and the server's certificate"
        case .unreachable, .disconnected, .timedOut, .outcomeUnknown:
            "start the server, or check hosts, ports, replicaSet and tls (is it TLS that is spoken there?) in documents.mongo.uri and what lies between"
        case .notPrimary, .writeConcern: "see that a majority of the replica set's members are up and reach each other"
        case .unsupportedServer: "use MongoDB 5.0 or later"
        case .permission: "grant the user readWrite and dbAdmin on the database"
        case .diskFull: "make room on the server's disk"
        case .conflict, .poolExhausted, .poolClosed: "something else is at work there; try again"
        case .duplicate, .notUnique, .validation, .tooLarge, .command, .encoding, .decoding, .tooMuch, .failed:
            "look into the server's log; the database may not be what this program made"
        }
    }
}
