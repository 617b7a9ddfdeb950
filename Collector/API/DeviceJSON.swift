import CertificateService
import DeviceService
import DocumentStores
import LinuxDriver
import Telemetry
import TimeSeriesStores

/// Devices and series as the API writes them.
extension JSONWriter {
    mutating func time(_ key: String, _ milliseconds: Int64?) {
        if let milliseconds { string(key, Timestamp.text(milliseconds)) } else { null(key) }
    }

    mutating func numberOrNull(_ key: String, _ value: Double?) {
        if let value { number(key, value) } else { null(key) }
    }

    mutating func integerOrNull(_ key: String, _ value: Int64?) {
        if let value { integer(key, value) } else { null(key) }
    }

    /// The members that a device has in lists and on its own page.
    mutating func deviceMembers(_ row: DeviceRow, worst: CertificateAtPlace?, at now: Int64) {
        string("id", row.device.id.text)
        string("status", row.device.status.rawValue)
        time("unknown_since", row.device.unknownSince)
        time("last_seen", row.device.lastSeen)
        if let latest = row.latest { self.latest("latest", latest) } else { null("latest") }
        guard let worst else { return null("worst_certificate") }
        object("worst_certificate") { object in
            object.string("id", worst.id)
            object.string("path", worst.path)
            object.string("subject", worst.subject)
            object.string("status", worst.status(at: now).rawValue)
            object.string("validity", worst.validity(at: now).rawValue)
            object.integerOrNull("days_left", worst.daysLeft(at: now))
        }
    }

    mutating func latest(_ key: String?, _ latest: LatestValues) {
        object(key) { object in
            object.time("at", latest.at)
            object.numberOrNull("cpu_usage", latest.cpuUsage)
            object.numberOrNull("memory_usage", latest.memoryUsage)
            object.numberOrNull("network_latency", latest.networkLatency)
        }
    }

    /// What only a device's own page has.
    mutating func detailMembers(_ detail: DeviceDetail, certificates found: [CertificateAtPlace], problems: [JSONValue], at now: Int64) {
        labels(detail.row.device.labels)
        if let facts = detail.row.device.facts { facts.write("facts", into: &self) } else { null("facts") }
        array("series") { array in for series in detail.series { array.string(nil, series) } }
        array("certificates") { array in for certificate in found { array.certificate(certificate, at: now) } }
        array("certificate_problems") { array in for problem in problems { array.raw(nil, problem.json) } }
        integer("samples_stored", detail.samplesStored)
        time("first_seen", detail.row.device.firstSeen)
    }

    mutating func labels(_ labels: [String: String]) {
        object("labels") { object in for (name, value) in labels.sorted(by: { $0.key < $1.key }) { object.string(name, value) } }
    }

    mutating func aggregated(_ aggregated: AggregatedSeries) {
        object { object in
            object.string("series", aggregated.series.description)
            object.string("metric", aggregated.series.metric)
            object.object("labels") { labels in for label in aggregated.series.labels { labels.string(label.name, label.value) } }
            object.array("points") { points in
                for point in aggregated.points {
                    points.array { values in
                        values.integer(nil, point.at)
                        values.number(nil, point.mean)
                        values.number(nil, point.minimum)
                        values.number(nil, point.maximum)
                    }
                }
            }
        }
    }
}
