-- URLs that are leased ahead: at the depth after the open round's, while they may still move to a
-- smaller one. A part of store.lua, which tells the keys.

-- What has become of a URL that was leased ahead; nil or false when it was not, or is back in its
-- queue.
function Job:ahead_of(url)
  local state = self.ahead[url]
  if state == nil then return call('HGET', self.prefix .. 'ahead', url) end
  return state
end

-- Notes what has become of the URL of an entry at a depth, if it is one that is leased ahead; false:
-- it is back in its queue.
function Job:note_ahead(depth, entry, state)
  if tonumber(depth) > self.round then self.ahead[url_of(entry)] = state end
end

function Job:save_ahead()
  local noted, gone = {}, {}
  for url, state in pairs(self.ahead) do
    if state then
      noted[#noted + 1] = url
      noted[#noted + 1] = state
    else
      gone[#gone + 1] = url
    end
  end
  call_in_chunks('HSET', self.prefix .. 'ahead', noted)
  call_in_chunks('HDEL', self.prefix .. 'ahead', gone)
end

-- undo[STATE](job, url, value): takes back what was counted of a URL that moves from `url.from` to
-- `url.depth`, where its entry is `url.parts`; the losses that it has had it keeps. Returns the
-- letter that tells the state, and what else there is to tell.
local undo = {}

function undo.leased(job, url)
  call('HSET', job.prefix .. 'moving', url.parts.url, url.depth .. ' ' .. text_of(url.parts))
  job.has_moving = true
  job:count_round(url.from, 'leased', -1)
  job:count_round(url.depth, 'leased', 1)
  return 'L'
end

function undo.delayed(job, url, entry)
  call('ZREM', job.prefix .. 'delayed', url.from .. ' ' .. entry)
  job:count_both(url.from, 'delayed', -1)
  url.parts.losses = parts_of(entry).losses
  return 'Y'
end

function undo.fetched(job, url, value)
  local id, index, bytes, links = string.match(value, '^(%d+) (%d+) (%d+) (%d+)$')
  job:post('refused ' .. id .. ' ' .. index)
  job:count_both(url.from, 'fetched', -1)
  job:count('bytes', -tonumber(bytes))
  job:count('links', -tonumber(links))
  return 'F' .. bytes
end

function undo.redirected(job, url, item)
  job:post('withdrawn ' .. item)
  job:count_both(url.from, 'redirected', -1)
  job:count_page(host_of(url.parts.url), 1)
  return 'R'
end

function undo.failed(job, url, value)
  local item, word = string.match(value, '^(%d+) (.*)$')
  job:post('withdrawn ' .. item)
  job:count_both(url.from, 'failed', -1)
  job:count('failed:' .. word, -1)
  job:count_page(host_of(url.parts.url), 1)
  if word == 'worker_lost' then url.parts.losses = MAX_LOSSES - 1 end
  return 'X' .. word
end

-- Takes back a URL that was leased ahead at depth `from` and is found at `depth` now. Returns what
-- undo[STATE] does, and its entry there; `entry`: what it would be of another URL.
function Job:take_back(from, depth, entry, state)
  local kind, value = string.match(state, '^(%a+) ?(.*)$')
  local url = { from = from, depth = depth, parts = parts_of(entry) }
  self.ahead[url.parts.url] = false
  local was = undo[kind](self, url, value)
  return was, text_of(url.parts)
end

-- The depth to which a URL has moved while it was leased with `entry`, and its entry there, with
-- the losses that it has had; nil if it has not.
function Job:moved_to(entry)
  if self.has_moving == nil then
    self.has_moving = call('EXISTS', self.prefix .. 'moving') == 1
  end
  local moving = self.has_moving and call('HGET', self.prefix .. 'moving', url_of(entry))
  if not moving then return nil end
  local depth, new_entry = string.match(moving, '^(%d+) (.*)$')
  local parts = parts_of(new_entry)
  parts.losses = parts_of(entry).losses
  return tonumber(depth), text_of(parts)
end

-- It leaves its lease.
function Job:end_move(entry)
  call('HDEL', self.prefix .. 'moving', url_of(entry))
end
