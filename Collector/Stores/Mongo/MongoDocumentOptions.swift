import MongoDriver

/// How a store on MongoDB is set up.
package struct MongoDocumentOptions: Sendable {
    package var server: MongoOptions
    /// Events older than this go by themselves; nil keeps them.
    package var eventsKept: Duration?
    /// How long is waited for documents that are read by their ids or changed: no longer than samples may wait for them.
    package var answerMax: Duration = .seconds(3)
    /// How long is waited for questions that may have many documents as their answer.
    package var questionMax: Duration = .seconds(15)

    package init(_ server: MongoOptions, eventsKept: Duration? = nil) {
        self.server = server
        self.eventsKept = eventsKept
    }
}
