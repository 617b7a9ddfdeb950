import Hummingbird
import Synchronization

/// Which methods there are at which paths, so that a wrong method is told from a wrong path.
final class KnownRoutes: Sendable {
    private struct Known {
        /// Nil stands for any one part.
        let parts: [Substring?]
        let method: HTTPRequest.Method
    }

    private let known = Mutex<[Known]>([])

    func learn(_ router: Router<some RequestContext>) {
        let routes = router.routes.map { route in
            let parts = route.path.description.split(separator: "/").map { $0.hasPrefix("{") ? nil : $0 }
            return Known(parts: parts, method: route.method)
        }
        known.withLock { $0 = routes }
    }

    /// The methods that a path has; none for one that there is not. What is there by its own name is not what any other part stands for.
    func methods(at path: String) -> [HTTPRequest.Method] {
        let parts = path.split(separator: "/")
        let found = known.withLock { known in
            known.filter { $0.parts.count == parts.count && zip($0.parts, parts).allSatisfy { $0 == nil || $0 == $1 } }
        }
        let names = found.map { $0.parts.count { $0 != nil } }
        return zip(found, names).filter { $1 == names.max() }.map { $0.0.method }
    }
}
