import CLinux

/// A text file of the kernel that is read again and again: it stays open, so that a reading is one pread(2) and no path is walked.
///
/// proc(5) and sysfs make a file's text anew for every read at offset 0.
package final class KernelFile {
    /// What a text is cut at. The largest read each second, `/proc/diskstats` of a machine with hundreds of disks, stays below.
    package static let bytesMax = 64 * 1024

    private let path: String
    private var fd: Int32 = -1

    package init(_ path: String) { self.path = path }

    deinit { shut() }

    /// Reads the text into the buffer's beginning, by one call, and says how many bytes of it there are: 0 when the source is missing.
    /// For files of which the first lines are all that is needed.
    package func readStart(into buffer: inout [UInt8]) -> Int {
        guard open() else { return 0 }
        return read(into: &buffer, from: 0)
    }

    /// The kernel gives whole lines, as many as go into a page and into the buffer: where there was room for another, that was the last.
    private static let pageBytes = 4096

    /// Reads the whole text, at most `bytesMax` of it, growing the buffer when it must. What is cut off ends at a line's end. No line is longer
    /// than `lineBytesMax`; that spares a call to be told that there are no more.
    package func readWhole(into buffer: inout [UInt8], lineBytesMax: Int = 4096) -> Int {
        guard open() else { return 0 }
        var count = 0
        while true {
            if count == buffer.count {
                guard count < Self.bytesMax else { return Self.wholeLines(buffer) }
                buffer.append(contentsOf: [UInt8](repeating: 0, count: min(count, Self.bytesMax - count)))
            }
            let more = read(into: &buffer, from: count)
            let room = min(buffer.count - count, Self.pageBytes)
            count += more
            if more == 0 || more < room - lineBytesMax { return count }
        }
    }

    private func open() -> Bool {
        if fd < 0 { fd = farwatch_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0) }
        return fd >= 0
    }

    private func shut() {
        if fd >= 0 { close(fd) }
        fd = -1
    }

    /// The bytes that one pread(2) gives, placed at the offset that they have in the file. A failure (a sensor that was unplugged answers ENODEV,
    /// a busy one EAGAIN) counts as nothing and opens the file again next time.
    private func read(into buffer: inout [UInt8], from offset: Int) -> Int {
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                pread(fd, bytes.baseAddress! + offset, bytes.count - offset, off_t(offset))
            }
            if count >= 0 { return count }
            if farwatch_errno() == EINTR { continue }
            shut()
            return 0
        }
    }

    private static func wholeLines(_ buffer: [UInt8]) -> Int {
        var end = buffer.count
        while end > 0, buffer[end - 1] != UInt8(ascii: "\n") { end -= 1 }
        return end
    }
}
