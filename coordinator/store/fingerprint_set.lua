-- Sets of 64-bit fingerprints, at 9 to 10 bytes each. A part of store.lua, which tells the keys.
--
-- Linear hashing by the fingerprint's top bits. At level l bucket p (0 <= p < 2^l) holds the
-- fingerprints of the p-th part of the range; its number is 2^l + p, like a heap's, so that its two
-- halves at level l + 1 are 2B and 2B + 1. Buckets with p < split are in halves already. The top
-- bits are taken from a double, which is always rounded the same way, and Redis compares the
-- decimal text exactly.

-- The mean size at which a fingerprint set grows. Just before its split a bucket holds about twice
-- the mean, which has to stay well below the server's set-max-intset-entries of 1024.
local MAX_MEAN_ENTRIES = 450

local FingerprintSet = {}
FingerprintSet.__index = FingerprintSet

-- `places`: a table of the call, which keeps what was read of a fingerprint for all its sets.
function FingerprintSet.open(key, places)
  local meta = call('HMGET', key, 'level', 'split', 'size')
  local set = setmetatable({
    key = key,
    stem = key .. ':',
    places = places,
    names = {},    -- number -> key of a bucket
    pending = {},  -- fingerprints that flush() adds
    split = tonumber(meta[2] or 0),
    size = tonumber(meta[3] or 0),
    changed = false,
  }, FingerprintSet)
  set:set_level(tonumber(meta[1] or 0))
  return set
end

function FingerprintSet:set_level(level)
  self.level = level
  self.parts = 2 ^ level
  self.width = 2 ^ 64 / self.parts
  self.limit = MAX_MEAN_ENTRIES * (self.parts + self.split)
end

-- The part that holds a fingerprint when each is so wide, of so many. `place`: how far it is from
-- the smallest.
local function part_of(place, width, parts)
  local part = place / width
  part = part - part % 1
  return part < parts and part or parts - 1
end

-- The key of a part's bucket when there are so many parts.
function FingerprintSet:bucket(parts, part)
  local number = parts + part
  local name = self.names[number]
  if not name then
    name = self.stem .. text_of_number(number)
    self.names[number] = name
  end
  return name
end

function FingerprintSet:bucket_of(fingerprint)
  local place = self.places[fingerprint]
  if not place then
    place = tonumber(fingerprint) + 2 ^ 63
    self.places[fingerprint] = place
  end
  local parts = self.parts
  local part = part_of(place, self.width, parts)
  if part >= self.split then return self:bucket(parts, part) end
  return self:bucket(2 * parts, part_of(place, self.width / 2, 2 * parts))
end

-- The members of a bucket by size, as Redis tells those of an intset.
local function sorted_members(bucket)
  local is_sorted = call('OBJECT', 'ENCODING', bucket) == 'intset'
  local members = call('SMEMBERS', bucket)
  if not is_sorted then
    table.sort(members, function(a, b) return tonumber(a) < tonumber(b) end)
  end
  return members
end

function FingerprintSet:split_next()
  local old = self:bucket(self.parts, self.split)
  local members = sorted_members(old)
  local lower, rest = 0, #members  -- how many are of the lower half, and how many may be
  while lower < rest do
    local middle = math.ceil((lower + rest) / 2)
    local place = tonumber(members[middle]) + 2 ^ 63
    if part_of(place, self.width / 2, 2 * self.parts) > 2 * self.split then
      rest = middle - 1
    else
      lower = middle
    end
  end
  call('DEL', old)
  call_in_chunks('SADD', self:bucket(2 * self.parts, 2 * self.split), members, 1, lower)
  call_in_chunks('SADD', self:bucket(2 * self.parts, 2 * self.split + 1), members, lower + 1)
  self.split = (self.split + 1) % self.parts
  self:set_level(self.split == 0 and self.level + 1 or self.level)
end

-- False when it is there already.
function FingerprintSet:add(fingerprint)
  if call('SADD', self:bucket_of(fingerprint), fingerprint) == 0 then return false end
  self.size = self.size + 1
  self.changed = true
  if self.size > self.limit then self:split_next() end
  return true
end

-- As add() for one of which nobody asks whether it is new, at the end of the call or sooner.
function FingerprintSet:add_later(fingerprint)
  self.pending[#self.pending + 1] = fingerprint
end

function FingerprintSet:flush()
  if #self.pending == 0 then return end
  -- Room first: what is in no bucket yet need not be moved to another.
  while self.size + #self.pending > self.limit do self:split_next() end
  local buckets = {}
  for _, fingerprint in ipairs(self.pending) do
    local bucket = self:bucket_of(fingerprint)
    local members = buckets[bucket]
    if members then members[#members + 1] = fingerprint else buckets[bucket] = { fingerprint } end
  end
  self.pending = {}
  for bucket, members in pairs(buckets) do
    self.size = self.size + call_in_chunks('SADD', bucket, members)
  end
  self.changed = true
end

function FingerprintSet:contains(fingerprint)
  self:flush()
  return self.size > 0 and call('SISMEMBER', self:bucket_of(fingerprint), fingerprint) == 1
end

-- False when it is not there.
function FingerprintSet:remove(fingerprint)
  self:flush()
  if self.size == 0 then return false end
  if call('SREM', self:bucket_of(fingerprint), fingerprint) == 0 then return false end
  self.size = self.size - 1
  self.changed = true
  return true
end

function FingerprintSet:save()
  self:flush()
  if not self.changed then return end
  call('HSET', self.key, 'level', self.level, 'split', self.split, 'size', self.size)
end

function FingerprintSet:delete()
  local keys = { self.key }
  for part = 0, 2 * self.split - 1 do keys[#keys + 1] = self:bucket(2 * self.parts, part) end
  for part = self.split, self.parts - 1 do keys[#keys + 1] = self:bucket(self.parts, part) end
  for _, key in ipairs(keys) do call('UNLINK', key) end
end
