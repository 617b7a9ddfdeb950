import DocumentStores

/// How many devices and certificates there are with one value of a label.
package struct LabelCount: Equatable, Sendable {
    /// Empty for devices without the label.
    package let name: String
    package let devices: Int
    package let certificates: Int

    package init(name: String, devices: Int, certificates: Int) {
        self.name = name
        self.devices = devices
        self.certificates = certificates
    }
}

/// What operators call devices by, as their documents say: `site` and `group` among them.
package struct DeviceLabels: Sendable {
    private var labels: [String: JSONValue] = [:]

    package init(_ devices: [Document]) { for device in devices { labels[device.id] = device["labels"] } }

    func value(_ name: String, of device: String) -> String { labels[device]?[name]?.text ?? "" }

    /// By the values of a label, in order.
    func counts(_ name: String, of places: [CertificateAtPlace]) -> [LabelCount] {
        Dictionary(grouping: places) { value(name, of: $0.device) }.map { value, places in
            LabelCount(name: value, devices: Set(places.map { $0.device }).count, certificates: Set(places.map { $0.id }).count)
        }.sorted { $0.name < $1.name }
    }
}

/// Places together: on which devices, at which sites, in which groups.
package struct LabelledPlaces: Sendable {
    package let places: [CertificateAtPlace]
    package let devices: [String]
    package let sites: [LabelCount]
    package let groups: [LabelCount]

    init(_ places: [CertificateAtPlace], _ labels: DeviceLabels) {
        self.places = places
        devices = Set(places.map { $0.device }).sorted()
        sites = labels.counts("site", of: places)
        groups = labels.counts("group", of: places)
    }
}
