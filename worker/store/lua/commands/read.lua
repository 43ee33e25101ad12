-- Read several keys, all at one moment. A Redis that is full refuses MULTI, and allows a script that only reads.
-- KEYS 1.. the keys
-- ARGV 1 the commands as JSON: each [command, the number of its key, its arguments ...]
-- Returns their answers.
local answers = {}
for n, command in ipairs(cjson.decode(ARGV[1])) do
  answers[n] = redis.call(command[1], KEYS[command[2]], unpack(command, 3))
end
return answers
