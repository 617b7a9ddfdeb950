/// What a fleet is to do. Times are milliseconds.
struct FleetPlan {
    var broker: String
    var port: UInt16
    var devices: Int
    var interval: Int64
    var duration: Int64?
    var offlineFraction: Double
    var series: Int
    var backlog: Int
    var sealTicks: Int
    var sealAge: Int64
    var prefix: String
    var directory: String?
    var drain: Int64
    var seed: UInt64
    /// What each device's buffer may take, in bytes.
    var bufferBytes: Int64
    /// Where each device writes down what it does; nil when nobody will check.
    var truthDirectory: String?
    /// Holds how far the devices' clocks are ahead, in milliseconds; nil for right clocks.
    var clockOffsetFile: String?
    /// Ends when the backlog is made, without connecting.
    var isFillOnly: Bool
}
