import CertificateService
import CollectorIngest
import DeviceService
import DocumentStores
import MongoStores
import ServiceLifecycle
import Telemetry

/// Follows what other collectors, or people, do to documents on MongoDB, so that what is remembered of them is not older, and who looks at the fleet
/// sees it. On a single server nothing tells of it: there what is remembered of certificates is read again every minute.
struct DocumentFollower: Service {
    let store: MongoDocumentStore
    let devices: DeviceService
    let certificates: CertificateService
    let changes: LiveChanges

    func run() async throws {
        await cancelWhenGracefulShutdown { await store.follow([.devices, .certificates, .certificatePlaces]) { await heard($0) } }
    }

    private func heard(_ news: DocumentNews) async {
        switch news {
        case .changed(let ids, .devices):
            let changed = Set(ids.compactMap { DeviceId($0) })
            await devices.documentsChangedByOthers(changed)
            changes.mark(changed)
        case .changed(let ids, .certificatePlaces):
            let changed = Set(ids.map { CertificateAtPlace.device(ofPlace: $0) })
            await certificates.changedByOthers(changed)
            changes.mark(changed.compactMap { DeviceId($0) })
        // Facts of certificates are not remembered.
        case .changed: break
        case .unknown:
            await devices.documentsChangedByOthers(nil)
            await certificates.changedByOthers(nil)
        }
    }
}
