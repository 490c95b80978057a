package lease

import "github.com/redis/go-redis/v9"

// scripts are the Lua scripts. Redis runs each one atomically.
type scripts struct{ acquire, release, expire, lastGrant, status *redis.Script }

func newScripts() scripts {
	return scripts{redis.NewScript(acquireSource), redis.NewScript(releaseSource), redis.NewScript(expireSource), redis.NewScript(lastGrantSource), redis.NewScript(statusSource)}
}

// The keys of one store:
//
//	…:lease:<customer>   the holder's token; expires when its write cannot be applied any more
//	…:last:<customer>    the token of the latest grant; expires when no call can ask for it any more
//	…:queue:<customer>   the waiters' tokens, in order; at most one for each gateway
//	…:waiter:<token>     exists as long as the waiter keeps polling
//	…:server             the run id of the server that granted the leases
//	…:cold               exists as long as leases that the server has lost may still be held
//
// All times are durations that the server measures, so clocks of different machines are never compared.

// coldSource ends a script early while leases that the server has lost may still be held. It needs the locals server, cold
// and hold.
//
// A server may have lost leases if it has restarted, with or without its old data, if it was flushed, or if it is a replica
// that was promoted. Each case shows by the run id in the data, which is missing or is not the server's. No lease is then
// granted for the time hold, after which even a lease that was lost right after its grant has expired.
const coldSource = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
if not run then return redis.error_reply('INFO lacks the run id of the server, which shows whether leases were lost') end
if redis.call('GET', server) ~= run then
	redis.call('SET', server, run)
	redis.call('SET', cold, 1, 'PX', hold)
end
local left = redis.call('PTTL', cold)
if left > 0 then return {'cold', left} end
`

// statusSource takes no lease. It only reports whether leases are granted.
const statusSource = `
local server, cold, hold = KEYS[1], KEYS[2], ARGV[1]
` + coldSource + `
return {'granting', 0}
`

// acquireSource gives a free lease to the first waiter in the queue, and appends every other token to the queue. With the
// lease it returns the token of the grant before it: the token itself if the request is a repeated one.
const acquireSource = `
local lease, queue, server, cold, last = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local token, hold, alive, waiter, remembered = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
` + coldSource + `
local holder = redis.call('GET', lease)
if holder == token then
	redis.call('PEXPIRE', lease, hold)
	return {'held', 0, token}
end

local first = redis.call('LINDEX', queue, 0)
while first and first ~= token and redis.call('EXISTS', waiter .. first) == 0 do
	redis.call('LPOP', queue)
	first = redis.call('LINDEX', queue, 0)
end
if not holder and (not first or first == token) then
	if first then redis.call('LPOP', queue) end
	redis.call('DEL', waiter .. token)
	redis.call('SET', lease, token, 'PX', hold)
	local previous = redis.call('GET', last) or ''
	redis.call('SET', last, token, 'PX', remembered)
	return {'held', 0, previous}
end

redis.call('SET', waiter .. token, 1, 'PX', alive)
if not redis.call('LPOS', queue, token) then redis.call('RPUSH', queue, token) end
redis.call('PEXPIRE', queue, hold)
return {'wait', redis.call('PTTL', lease)}
`

// lastGrantSource returns the token of the latest grant, empty if none is remembered, or false while the lease is held.
const lastGrantSource = `
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
return redis.call('GET', KEYS[2]) or ''
`

// releaseSource removes a token's lease and its position in the queue, and notifies the next waiter.
const releaseSource = `
local lease, queue = KEYS[1], KEYS[2]
local token, waiter, channel = ARGV[1], ARGV[2], ARGV[3]

redis.call('LREM', queue, 0, token)
redis.call('DEL', waiter .. token)
local held = redis.call('GET', lease) == token
if held then redis.call('DEL', lease) end
if redis.call('EXISTS', lease) == 0 then
	local first = redis.call('LINDEX', queue, 0)
	if first then redis.call('PUBLISH', channel, first) end
end
return held and 1 or 0
`

// expireSource sets the remaining life of the lease, if the token still holds it.
const expireSource = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`
