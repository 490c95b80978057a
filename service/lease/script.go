package lease

import "github.com/redis/go-redis/v9"

// scripts are what Redis runs, each as a whole.
type scripts struct{ acquire, release, expire, look *redis.Script }

func newScripts() scripts {
	return scripts{redis.NewScript(acquireSource), redis.NewScript(releaseSource), redis.NewScript(expireSource), redis.NewScript(lookSource)}
}

// The keys of one store:
//
//	…:lease:<customer>   the token of who holds it; expires when its write can no longer land
//	…:line:<customer>    the tokens of who waits, in order; at most one for each gateway
//	…:waiter:<token>     exists for as long as the one who waits is alive
//	…:server             the run id of the server that has given the leases out
//	…:cold               exists while leases of another server's, forgotten ones, may still be held
//
// All times are relative and the server's own: no two machines' clocks are compared.

// coldSource returns early while forgotten leases may be held. It needs the locals server, cold and hold.
//
// A server that has started anew, with or without old data, a replica that has taken over, and one that was flushed
// may have lost leases that are still held. Each of these shows in the run id; until a lease given at the last moment
// has ended, with its writes, nobody gets one.
const coldSource = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not run then return redis.error_reply('the server does not tell its run id, and so not whether it has forgotten leases') end
if redis.call('GET', server) ~= run then
	redis.call('SET', server, run)
	redis.call('SET', cold, 1, 'PX', hold)
end
local left = redis.call('PTTL', cold)
if left > 0 then return {'cold', left} end
`

// lookSource takes nothing: it only tells whether leases are given.
const lookSource = `
local server, cold, hold = KEYS[1], KEYS[2], ARGV[1]
` + coldSource + `
return {'given', 0}
`

// acquireSource gives the lease to the first in line, and everybody else a place.
const acquireSource = `
local lease, line, server, cold = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, hold, alive, waiter = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
` + coldSource + `
local holder = redis.call('GET', lease)
if holder == token then
	redis.call('PEXPIRE', lease, hold)
	return {'held', 0}
end

local first = redis.call('LINDEX', line, 0)
while first and first ~= token and redis.call('EXISTS', waiter .. first) == 0 do
	redis.call('LPOP', line)
	first = redis.call('LINDEX', line, 0)
end
if not holder and (not first or first == token) then
	if first then redis.call('LPOP', line) end
	redis.call('DEL', waiter .. token)
	redis.call('SET', lease, token, 'PX', hold)
	return {'held', 0}
end

redis.call('SET', waiter .. token, 1, 'PX', alive)
if not redis.call('LPOS', line, token) then redis.call('RPUSH', line, token) end
redis.call('PEXPIRE', line, hold)
return {'wait', redis.call('PTTL', lease)}
`

// releaseSource ends what a token has, the lease or a place in the line, and wakes the next.
const releaseSource = `
local lease, line = KEYS[1], KEYS[2]
local token, waiter, channel = ARGV[1], ARGV[2], ARGV[3]

redis.call('LREM', line, 0, token)
redis.call('DEL', waiter .. token)
local held = redis.call('GET', lease) == token
if held then redis.call('DEL', lease) end
if redis.call('EXISTS', lease) == 0 then
	local first = redis.call('LINDEX', line, 0)
	if first then redis.call('PUBLISH', channel, first) end
end
return held and 1 or 0
`

// expireSource sets when the lease ends by itself, if it is still the token's.
const expireSource = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`
