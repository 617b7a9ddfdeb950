import MongoDriver

/// How a store on MongoDB is set up.
package struct MongoDocumentOptions: Sendable {
    package var server: MongoOptions
    /// Events older than this go by themselves; nil keeps them.
    package var eventsKept: Duration?

    package init(_ server: MongoOptions, eventsKept: Duration? = nil) {
        self.server = server
        self.eventsKept = eventsKept
    }
}
