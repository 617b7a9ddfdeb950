import AgentSampling
import Telemetry
import Testing

@Suite struct DeviceFactsTests {
    private func facts(_ fixture: String) -> DeviceFacts { DeviceFacts(root: SampledMachine.fixtures + fixture) }

    @Test func `a server tells what it is`() {
        let facts = facts("x86-server")
        #expect(facts.os == "Debian \"GNU\"/Linux 12 (bookworm)")
        #expect(facts.kernel == "6.1.0-28-amd64")
        #expect(facts.model == "PowerEdge R240")
        #expect(facts.cpuCount == 4)
        #expect(facts.memoryBytes == 16_694_702_080)
    }

    @Test func `a board's model ends at its NUL and os-release may stand under usr`() {
        let facts = facts("raspberry-pi")
        #expect(facts.model == "Raspberry Pi 3 Model B Rev 1.2")
        #expect(facts.os == "Raspbian GNU/Linux 11 (bullseye)")
        #expect(
            facts.json(agentVersion: "0.1.0")
                == #"{"hostname":"raspberrypi","os":"Raspbian GNU/Linux 11 (bullseye)","kernel":"6.1.21-v8+","architecture":"\#(facts.architecture)","#
                + #""model":"Raspberry Pi 3 Model B Rev 1.2","cpu_count":4,"memory_bytes":971038720,"agent_version":"0.1.0"}"#)
    }

    @Test func `what a container does not tell is left out`() {
        let facts = facts("container")
        #expect(facts.json(agentVersion: "1").hasPrefix(#"{"hostname":"localhost","architecture":""#))
        #expect(facts.cpuCount == 1)
    }

    @Test func `a device id is the hostname in its alphabet and a name that says nothing proposes none`() {
        #expect(facts("x86-server").proposedDeviceId?.text == "build-07.example.net")
        #expect(facts("raspberry-pi").proposedDeviceId == DeviceId("raspberrypi"))
        #expect(facts("container").proposedDeviceId == nil)
        #expect(facts("nowhere").proposedDeviceId == nil)
    }
}
