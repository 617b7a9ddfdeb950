import LinuxDriver

/// Room on the disk that is held for bad times: a file of zeros beside the buffer, given up when the disk is full, so that deleting, which needs
/// room in the log, still works. Made again when there is room.
final class DiskReserve {
    private let path: String
    private let bytes: Int64
    private(set) var isHeld = false

    /// With 0 bytes there is none.
    init(_ bufferPath: String, bytes: Int64) {
        path = Self.path(bufferPath)
        self.bytes = bytes
        hold()
    }

    /// Gives up what an earlier process held; whether there was any.
    static func remove(_ bufferPath: String) -> Bool { SmallFile.remove(path(bufferPath)) }

    private static func path(_ bufferPath: String) -> String { bufferPath + ".reserve" }

    /// Takes the room if it can be had.
    func hold() {
        guard !isHeld else { return }
        guard bytes > 0 else {
            _ = SmallFile.remove(path)
            return
        }
        isHeld = SmallFile.allocate(path, bytes: bytes)
        if !isHeld { _ = SmallFile.remove(path) }
    }

    /// Gives the room up; whether there was any.
    func release() -> Bool {
        guard isHeld else { return false }
        isHeld = false
        return SmallFile.remove(path)
    }
}
