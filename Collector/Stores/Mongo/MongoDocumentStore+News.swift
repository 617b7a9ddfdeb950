import DocumentStores
import MongoDriver

/// What others write, by change streams. Only replica sets and clusters have them.
extension MongoDocumentStore {
    /// Changes of one look.
    private static let changesMax = 1_000
    private static let retryInterval: Duration = .seconds(1)

    /// Tells of what others do to documents of these collections, until the task is cancelled. At first, and whenever what happened cannot be known,
    /// it tells that anything may be different; on a single server it tells nothing.
    package func follow(_ collections: [Collection], _ tell: @Sendable (DocumentNews) async -> Void) async {
        let watch = MongoWatch(collections.map { $0.name }, fields: [FieldName.revision])
        guard let watcher = try? MongoWatcher(options.server, watch) else { return }
        while !Task.isCancelled {
            guard server?.hasTransactions == true, !isFailed else {
                try? await Task.sleep(for: Self.retryInterval)
                continue
            }
            do throws(MongoError) {
                let changes = try await watcher.next(max: Self.changesMax)
                if !isFollowing { await tell(.unknown) }
                isFollowing = true
                for news in Self.news(of: changes, in: collections) { await tell(news) }
            } catch {
                // Where the stream can go on from where it was, nothing is missed.
                if error.isHistoryLost || !error.isTransient { isFollowing = false }
                try? await Task.sleep(for: Self.retryInterval)
            }
        }
        isFollowing = false
        await watcher.close()
    }

    /// What others changed: a write of this process has its mark in the revision.
    static func news(of changes: [MongoChange], in collections: [Collection]) -> [DocumentNews] {
        var ids: [String: Set<String>] = [:]
        for change in changes {
            switch change {
            case .dropped: return [.unknown]
            case .written(let id, let collection, let fields):
                if let revision = fields[FieldName.revision]?.integer, Revision.isOwn(revision) { continue }
                if let id = id.text { ids[collection, default: []].insert(id) }
            case .deleted(let id, let collection): if let id = id.text { ids[collection, default: []].insert(id) }
            }
        }
        return collections.compactMap { collection in ids[collection.name].map { .changed($0, in: collection) } }
    }
}
