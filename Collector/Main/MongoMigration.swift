import LinuxDriver
import MongoDriver
import MongoStores

/// What `farwatch-collector migrate` does to the database of documents.
struct MongoMigration {
    let options: MongoDocumentOptions
    let isPlan: Bool

    func run() throws(MongoError) {
        let plan = try MongoClient.withOwnPool(options.server) { (client) throws(MongoError) in
            let setup = MongoSetup(client, eventsKept: options.eventsKept)
            return isPlan ? try setup.plan() : try setup.apply()
        }
        if let unknown = plan.unknown { throw MongoSetup.newer(unknown) }
        Output.line(plan.server.description)
        for step in plan.steps { Output.line("\(isPlan ? "missing" : "applied"): \(step.description)") }
        if plan.steps.isEmpty { Output.line("nothing is missing") }
    }
}
