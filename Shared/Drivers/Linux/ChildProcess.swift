import CLinux

/// This program once more with other arguments, its output read through a pipe: work that may wait or go wrong apart from this process. Killed,
/// if it still runs, with this object.
package final class ChildProcess {
    /// What it printed; does not block, and is at its end when the process is.
    package let output: Int32
    private let id: pid_t
    private var isReaped = false

    package init(arguments: [String]) throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard farwatch_pipe(&ends) == 0 else { throw .last("make pipe") }
        output = ends[0]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        // libmosquitto does not mark its sockets close-on-exec.
        for name in (try? SmallFile.names(in: "/proc/self/fd")) ?? [] {
            if let fd = Int32(name), fd > STDERR_FILENO { farwatch_close_on_exec(fd) }
        }
        var pointers: [UnsafeMutablePointer<CChar>?] = (["farwatch-agent"] + arguments).map { strdup($0) }
        pointers.append(nil)
        var child: pid_t = 0
        let code = posix_spawn(&child, "/proc/self/exe", &actions, nil, pointers, farwatch_environment())
        for pointer in pointers { free(pointer) }
        posix_spawn_file_actions_destroy(&actions)
        close(ends[1])
        id = child
        guard code == 0 else {
            isReaped = true
            close(ends[0])
            throw SystemError(code: code, operation: "start process")
        }
    }

    deinit {
        if !isReaped { end() }
    }

    /// Takes what is there, at most so many bytes; nil at the end, an empty array when there is nothing now.
    package func read(max: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: max)
        let count = CLinux.read(output, &buffer, max)
        if count > 0 { return Array(buffer[..<count]) }
        return count < 0 && (farwatch_errno() == EAGAIN || farwatch_errno() == EINTR) ? [] : nil
    }

    /// Kills it if it still runs, and closes the output.
    package func end() {
        guard !isReaped else { return }
        isReaped = true
        kill(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 && farwatch_errno() == EINTR {}
        close(output)
    }
}
