-- Host queues, and the text of their entries. A part of store.lua, which tells the keys.

local function host_of(url)
  return string.match(url, '^https?://([^/?]+)')
end

local function url_of(entry)
  return string.match(entry, '^[^ ]+')
end

-- The parts of an entry, all of them.
local function parts_of(entry)
  local url, referrer, attempt, hops, losses, sitemap =
      string.match(entry, '^([^ ]+) ?([^ ]*) ?(%d*) ?(%d*) ?(%d*) ?(%d*)$')
  return {
    url = url,
    referrer = referrer == '-' and '' or referrer,
    attempt = tonumber(attempt) or 0,
    hops = tonumber(hops) or 0,
    losses = tonumber(losses) or 0,
    sitemap = tonumber(sitemap) or 0,
  }
end

local function text_of(parts)
  local text = parts.url
  local sitemap = parts.sitemap or 0
  local counts = { parts.attempt or 0, parts.hops or 0, parts.losses or 0 }
  local counted = sitemap + counts[1] + counts[2] + counts[3] > 0
  if parts.referrer ~= '' or counted then
    text = text .. ' ' .. (parts.referrer == '' and '-' or parts.referrer)
  end
  if counted then text = text .. ' ' .. table.concat(counts, ' ') end
  return sitemap > 0 and text .. ' ' .. sitemap or text
end

-- The entry with one loss more, and its losses then.
local function with_loss(entry)
  local parts = parts_of(entry)
  parts.losses = parts.losses + 1
  return text_of(parts), parts.losses
end

-- The keys of a host queue: its list, its void entries, and the set of its depth's hosts.
function Job:queue(depth, host)
  local place = depth .. ':' .. host
  return self.prefix .. 'frontier:' .. place, self.prefix .. 'moved:' .. place,
         self.prefix .. 'hosts:' .. depth
end

-- An entry that comes back.
function Job:push_front(depth, host, entry)
  self:note_ahead(depth, entry, false)
  local queue, _, hosts = self:queue(depth, host)
  if call('LPUSH', queue, entry) == 1 then call('SADD', hosts, host) end
end

-- A new entry, at the end of the call or sooner.
function Job:push_later(depth, host, entry)
  local queue, _, hosts = self:queue(depth, host)
  local new = self.entries[queue]
  if not new then
    new = { hosts = hosts, host = host }
    self.entries[queue] = new
  end
  new[#new + 1] = entry
end

function Job:push_entries()
  for queue, new in pairs(self.entries) do
    local _, length = call_in_chunks('RPUSH', queue, new)
    if length == #new then call('SADD', new.hosts, new.host) end
  end
  self.entries = {}
end

-- Deletes a host queue in which nothing waits.
function Job:drop_if_idle(depth, host)
  self:push_entries()
  local queue, moved, hosts = self:queue(depth, host)
  if call('LLEN', queue) > call('SCARD', moved) then return end
  call('DEL', queue, moved)
  call('SREM', hosts, host)
end

-- Takes up to `count` entries off a host queue's front, without the void ones.
function Job:pop(depth, host, count)
  local queue, moved = self:queue(depth, host)
  local void = call('SCARD', moved)
  local taken = {}
  while #taken < count do
    local entries = call('LPOP', queue, count - #taken)
    if not entries then break end
    for _, entry in ipairs(entries) do
      if void > 0 and call('SREM', moved, url_of(entry)) == 1 then
        void = void - 1
      else
        taken[#taken + 1] = entry
      end
    end
  end
  self:drop_if_idle(depth, host)
  return taken
end
