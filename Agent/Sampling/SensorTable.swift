import LinuxDriver

/// Where a machine's temperatures can be read and what each is called.
struct SensorTable {
    struct Sensor: Equatable {
        /// The file with millidegrees Celsius.
        let path: String
        let name: String
    }

    static let sensorsMax = 32
    /// Chips and zones that are looked at, and files of each.
    private static let chipsMax = 64
    private static let chipFilesMax = 512
    /// Names are a few words; sysfs gives at most a page.
    private static let nameBytesMax = 4096

    private(set) var sensors: [Sensor] = []
    private var zoneTypes: [String] = []

    /// Thermal zones first, then the chips of hwmon; both in their numbers' order.
    init(_ tree: SourceTree) {
        addZones(tree.path("/sys/class/thermal"))
        addChips(tree.path("/sys/class/hwmon"))
    }

    /// A zone is called by its type: `cpu-thermal`, `x86_pkg_temp`.
    private mutating func addZones(_ directory: String) {
        for zone in Self.numbered("thermal_zone", in: directory) {
            let place = directory + "/" + zone
            let type = Self.text(place + "/type") ?? zone
            zoneTypes.append(type)
            add(place + "/temp", type)
        }
    }

    /// A chip's sensor is called by the chip's name and its label, or its file when it has none: `coretemp/Core 0`, `nvme/temp1`.
    private mutating func addChips(_ directory: String) {
        for chip in Self.numbered("hwmon", in: directory) {
            var place = directory + "/" + chip
            // Before Linux 3.15 the files belonged to the device.
            if !SmallFile.exists(place + "/name") && SmallFile.exists(place + "/device/name") { place += "/device" }
            let name = Self.text(place + "/name") ?? chip
            if isZone(name) { continue }
            for file in Self.numbered("temp", suffix: "_input", in: place) {
                let sensor = String(decoding: file.utf8.dropLast("_input".utf8.count), as: UTF8.self)
                add(place + "/" + file, name + "/" + (Self.text(place + "/" + sensor + "_label") ?? sensor))
            }
        }
    }

    /// The kernel shows each thermal zone as a chip too, with `-` in its type turned into `_` (drivers/thermal/thermal_hwmon.c).
    private func isZone(_ chip: String) -> Bool {
        zoneTypes.contains { $0.utf8.elementsEqual(chip.utf8, by: { $0 == $1 || $0 == UInt8(ascii: "-") && $1 == UInt8(ascii: "_") }) }
    }

    /// Two processors have the same chip twice: the second of a name is `name #2`.
    private mutating func add(_ path: String, _ name: String) {
        guard sensors.count < Self.sensorsMax else { return }
        var unique = name
        var number = 1
        while sensors.contains(where: { $0.name == unique }) {
            number += 1
            unique = name + " #" + String(number)
        }
        sensors.append(Sensor(path: path, name: unique))
    }

    /// The names of the form prefix, number, suffix, sorted by their numbers.
    private static func numbered(_ prefix: String, suffix: String = "", in directory: String) -> [String] {
        guard let names = try? SmallFile.names(in: directory, limit: chipFilesMax) else { return [] }
        var found: [(number: UInt32, name: String)] = []
        for name in names where found.count < chipsMax && name.utf8.starts(with: prefix.utf8) {
            let rest = name.utf8.dropFirst(prefix.utf8.count)
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            guard rest.dropFirst(digits.count).elementsEqual(suffix.utf8) else { continue }
            guard let number = UInt32(String(decoding: digits, as: UTF8.self)) else { continue }
            found.insert((number, name), at: found.firstIndex { $0.number > number } ?? found.endIndex)
        }
        return found.map { $0.name }
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? SmallFile.read(path, limit: nameBytesMax) else { return nil }
        let text = LabelText.of(bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != 0 })
        return text.isEmpty ? nil : text
    }
}
