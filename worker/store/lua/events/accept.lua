-- Append an event to its stream, unless the same event was accepted before. An event with other content under the same
-- id is another event; and so is a kill whose article has been reinstated since. An event with a number in the record
-- that was appended under this number is the same, whatever came under its id in between.
-- KEYS 1 stream (events or urgent)   2 accepted:<event id>   3 reinstated:<article id>   4 live   5 its summary
-- ARGV 1 the event's JSON   2 its digest   3 seconds to remember it   4 kill, reinstatement or ''   5 its id
--      6 its number in the record or ''   7 of a kill with a number, the event that reinstated its article last
--      8 when it was accepted (ms), if that was long before now, or ''
--      9 how many entries of live are kept   10 what is told there   11 how many of the summary
-- Returns {new, reused, duplicate or appended (under this number), stream id, '' when it is not known; of one that was
-- appended, how many entries of the stream were there before it}.

-- How many events are remembered that came one after the other under one id.
local REMEMBERED = 8

local digest, number = ARGV[2], ARGV[6]
if ARGV[4] == 'kill' then
  digest = digest .. ' ' .. (number ~= '' and ARGV[7] or redis.call('GET', KEYS[3]) or '')
end
local before = redis.call('GET', KEYS[2])
local lines = {}
local last_digest, last_number, last_entry
for line in string.gmatch(before or '', '[^\n]+') do
  local its_digest, its_number, its_entry = string.match(line, '^([^\t]*)\t?([^\t]*)\t?([^\t]*)')
  if number ~= '' and its_number == number then
    return {'appended', its_entry}
  end
  if #lines == 0 then
    last_digest, last_number, last_entry = its_digest, its_number, its_entry
  end
  lines[#lines + 1] = line
end
-- Of two numbers the record knows that they are two events.
if last_digest == digest and (number == '' or last_number == '') then
  return {'duplicate', last_entry}
end
if ARGV[4] == 'reinstatement' then
  redis.call('SET', KEYS[3], ARGV[5], 'EX', ARGV[3])
end
local fields = {'event', ARGV[1]}
if number ~= '' then
  fields[#fields + 1] = 'number'
  fields[#fields + 1] = number
end
if ARGV[8] ~= '' then
  fields[#fields + 1] = 'accepted'
  fields[#fields + 1] = ARGV[8]
end
local entry = redis.call('XADD', KEYS[1], '*', unpack(fields))
table.insert(lines, 1, digest .. '\t' .. number .. '\t' .. entry)
lines[REMEMBERED + 1] = nil
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[9], '*', 'accepted', ARGV[10])
redis.call('XADD', KEYS[5], 'MAXLEN', '~', ARGV[11], '*', 'accepted', ARGV[10])
redis.call('SET', KEYS[2], table.concat(lines, '\n'), 'EX', ARGV[3])
return {before and 'reused' or 'new', entry, redis.call('XLEN', KEYS[1]) - 1}
