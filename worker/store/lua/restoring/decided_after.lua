-- with changes/state.part restoring/decided.part
-- The articles of a feed that were decided after a time.
-- KEYS 1 log   2 article states
-- ARGV 1 the time (ms)   2 1 when all of the log was written since Redis lost everything
-- Returns of each {article, number of its latest change, version, when it was decided (ms)}.
return decided_after(KEYS[1], KEYS[2], ARGV[1], ARGV[2] == '1')
