import LinuxDriver
import MQTTDriver

/// What every program's `doctor` looks at.
package enum MachineChecks {
    package static func clock(now: Int64 = Clock.system.wall()) -> DoctorFinding {
        if now < Clock.plausibleWallMin {
            return .problem("clock", "it says " + Timestamp.text(now) + " and has not been set", "systemctl enable --now systemd-timesyncd")
        }
        return .ok("clock", "it says " + Timestamp.text(now))
    }

    /// Whether others may read what proves who we are.
    package static func secrets(_ options: MQTTOptions) -> DoctorFinding {
        let subject = "permissions"
        guard let key = options.tls?.key else { return .ok(subject, "no private key is configured") }
        do throws(SystemError) {
            guard try FileIdentity.of(key).isReadableByOthers else { return .ok(subject, key + " is for its owner and its group alone") }
            return .advice(subject, "every user of this machine may read the private key " + key, "chmod 0640 " + key)
        } catch { return .problem(subject, error.description, "make it readable for the service's user") }
    }

    /// Nothing when all is well; a file that cannot be read was refused with the settings.
    package static func passwordFile(_ file: String) -> DoctorFinding? {
        guard let identity = try? FileIdentity.of(file), identity.isReadableByOthers else { return nil }
        return .advice("permissions", "every user of this machine may read the password in " + file, "chmod 0640 " + file)
    }

    /// Whether what is sent can be read on its way.
    package static func encryption(_ options: MQTTOptions) -> DoctorFinding {
        let subject = "tls"
        guard let tls = options.tls else {
            if options.host == "localhost" || options.host.utf8.starts(with: "127.".utf8) || options.host == "::1" {
                return .ok(subject, "not used; the broker is on this machine")
            }
            return .advice(subject, "not used: whoever is on the way to " + options.host + " reads along", "set broker.tls or broker.ca_file")
        }
        let shown = tls.certificate.map { "; shown is " + $0 } ?? ""
        return .ok(subject, "trusted are " + (tls.authorities ?? "the system's authorities") + shown)
    }

    package static func version(_ program: String) -> DoctorFinding { .ok("version", program + " " + FarwatchVersion.text) }
}
