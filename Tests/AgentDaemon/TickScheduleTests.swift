import AgentDaemon
import Testing

struct TickScheduleTests {
    @Test func `ticks stand on a grid although they are taken a little late`() {
        var schedule = TickSchedule(interval: 1_000, boot: 5_000)
        var times: [Int64] = []
        for late in [0, 3, 7, 1, 50] as [Int64] {
            let boot = 5_000 + Int64(times.count) * 1_000 + late
            times.append(schedule.tick(boot: boot, wall: 1_000_000 + boot + (late % 2)))
        }
        #expect(zip(times, times.dropFirst()).map { $1 - $0 } == [1_000, 1_000, 1_000, 1_000])
    }

    @Test func `a tick much too late carries its own time, and missed instants are skipped`() {
        var schedule = TickSchedule(interval: 1_000, boot: 0)
        _ = schedule.tick(boot: 0, wall: 100_000)
        #expect(schedule.tick(boot: 4_500, wall: 104_500) == 104_500)
        #expect(schedule.delay(boot: 4_500) == 500)
    }
}
