import CertificateService
import DeviceService
import Synchronization
import Telemetry

/// The rows of the fleet's list as they were last written, each for as long as it says the same: writing JSON is most of a long list's work.
final class WrittenRows: Sendable {
    /// All that a row's text follows from.
    struct Row: Equatable, Sendable {
        let row: DeviceRow
        let worst: CertificateAtPlace?
        private let status: CertificateStatus?
        private let validity: CertificateValidity?
        private let daysLeft: Int64?

        init(_ row: DeviceRow, worst: CertificateAtPlace?, at now: Int64) {
            self.row = row
            self.worst = worst
            status = worst?.status(at: now)
            validity = worst?.validity(at: now)
            daysLeft = worst?.daysLeft(at: now)
        }

        func text(at now: Int64) -> String {
            var writer = JSONWriter()
            writer.object { $0.deviceMembers(row, worst: worst, at: now) }
            return writer.text
        }
    }

    /// Rows kept, some 500 bytes each; a longer list is written anew each time.
    static let keptMax = 20_000

    private let last = Mutex<[DeviceId: (row: Row, text: String)]>([:])

    /// The texts of all rows of the fleet; what is kept is theirs alone.
    func texts(of rows: [Row], at now: Int64) -> [String] {
        guard rows.count <= Self.keptMax else { return rows.map { $0.text(at: now) } }
        let known = last.withLock { $0 }
        var kept: [DeviceId: (row: Row, text: String)] = [:]
        kept.reserveCapacity(rows.count)
        let texts = rows.map { row in
            let id = row.row.device.id
            let text = known[id].flatMap { $0.row == row ? $0.text : nil } ?? row.text(at: now)
            kept[id] = (row, text)
            return text
        }
        last.withLock { [kept] in $0 = kept }
        return texts
    }
}
