import Foundation

/// A program that is run to its end, by posix_spawn(3) and waitpid(2): its end is waited for by its own id and nothing else, whatever a server
/// that it leaves behind holds open.
package enum ShortCommand {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// What it printed on both outputs; throws when it could not be started or ended with anything but 0.
    package static func run(_ arguments: [String], in directory: String) throws -> String {
        let log = directory + "/" + UUID().uuidString + ".log"
        defer { try? FileManager.default.removeItem(atPath: log) }
        let status = try wait(for: start(["/usr/bin/env", "-C", directory] + arguments, log))
        let text = String(decoding: (try? Data(contentsOf: URL(filePath: log))) ?? Data(), as: UTF8.self)
        guard status == 0 else { throw Failure(description: arguments.joined(separator: " ") + ": status \(status)\n" + text) }
        return text
    }

    private static func start(_ arguments: [String], _ log: String) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var list: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for text in list { free(text) } }
        var id: pid_t = 0
        let code = posix_spawn(&id, arguments[0], &actions, nil, &list, environ)
        guard code == 0 else { throw Failure(description: arguments.joined(separator: " ") + ": " + String(cString: strerror(code))) }
        return id
    }

    /// The status as waitpid(2) gives it.
    private static func wait(for id: pid_t) throws -> Int32 {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            guard errno == EINTR else { throw Failure(description: "waitpid: " + String(cString: strerror(errno))) }
        }
        return status
    }
}
