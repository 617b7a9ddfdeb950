import Logging
import MongoStores
import ServiceLifecycle

/// The store on MongoDB as a service: it is there before everything that needs it, and goes last. The log tells when documents can be kept, and why
/// they cannot.
struct MongoService: Service {
    private static let interval: Duration = .seconds(1)
    /// So many looks in a row have to find the server ill: it may be about to be reached, or to have another primary.
    private static let looksMax = 5

    let store: MongoDocumentStore
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await store.run { logger.warning("the documents' server could be named better", metadata: ["advice": "\($0)"]) } }
                group.addTask { await tell() }
            }
        }
    }

    private func tell() async {
        var told: Bool?
        var ill = 0
        while (try? await Task.sleep(for: Self.interval)) != nil {
            let reason = store.unavailableReason
            ill = reason == nil ? 0 : ill + 1
            if let reason, ill == Self.looksMax, told != false {
                told = false
                let advice = "farwatch-collector doctor tells what to do"
                logger.warning("documents cannot be kept, devices keep them", metadata: ["reason": "\(reason)", "advice": "\(advice)"])
            } else if reason == nil, told != true {
                told = true
                logger.info("documents are kept", metadata: ["server": "\(store.serverName ?? "MongoDB")"])
            }
        }
    }
}
