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
}
