-- grain: one row per month
-- rule: what the sentences of the first page need beside the heading: who is
--   next to the first and the last, who moved most and why (only where
--   comparable), satisfaction, the pool, what is late, missing or excluded
-- build: month
with unit as (
    select
        unit.name,
        ranking.total,
        ranking.place,
        ranking.total_change,
        ranking.grid_id,
        row_number() over (order by ranking.place, ranking.grid_id) as turn,
        row_number() over (order by ranking.place desc, ranking.grid_id desc) as last_turn,
        row_number() over (order by ranking.total_change desc nulls last, ranking.grid_id) as up_turn,
        row_number() over (order by ranking.total_change asc nulls last, ranking.grid_id) as down_turn
    from ranking.total as ranking
    inner join core.month_unit as unit
        on ranking.grid_id = unit.grid_id
        and unit.month = $month
    where ranking.month = $month
        and ranking.level = 2
        and ranking.place is not null
),

place as (
    select
        max(unit.name) filter (unit.turn = 2) as second_name,
        max(unit.total) filter (unit.turn = 2) as second_total,
        max(unit.name) filter (unit.last_turn = 2) as last_but_one_name,
        max(unit.total) filter (unit.last_turn = 2) as last_but_one_total,
        count(unit.total_change) as comparable_units,
        max(unit.grid_id) filter (unit.up_turn = 1 and unit.total_change > 0) as up_id,
        max(unit.grid_id) filter (unit.down_turn = 1 and unit.total_change < 0) as down_id
    from unit
),

late as (
    select
        (select count(*) from core.month_ticket where month = $month and is_late)
        + (select count(*) from core.month_repair where month = $month and is_late)
        + (select count(*) from core.month_activity where month = $month and is_late)
        + (select count(*) from core.month_event where month = $month and is_late)
        + (select count(*) from core.month_return where month = $month and is_late) as rows_late
),

ticket as (
    select
        count(*) filter (month = $month and satisfaction = 'satisfied' and is_closed) as satisfied,
        count(*) filter (month = $month and satisfaction is not null and is_closed) as rated,
        nullif(count(*) filter (month < $month and is_reported), 0) as year_tickets_reported
    from core.month_ticket
    where month in ($month, $month - interval 12 month)
),

pool as (
    select
        max(amount) filter (item = 'opening') as fund_opening,
        max(amount) filter (item = 'received') as fund_received,
        max(amount) filter (item = 'paid') as fund_paid,
        max(amount) filter (item = 'committed') as fund_committed
    from bulletin.fund
    where month = $month
)

select
    $month as month,
    place.* exclude (up_id, down_id),
    up.name as up_name, up.total_change as up_change,
    up.line_name as up_line_name, up.indicator_name as up_indicator_name,
    up.cause as up_cause, up.amount as up_amount,
    up.numerator as up_numerator, up.denominator as up_denominator,
    up.last_numerator as up_last_numerator, up.last_denominator as up_last_denominator,
    up.events as up_events, up.last_events as up_last_events,
    down.name as down_name, down.total_change as down_change,
    down.line_name as down_line_name, down.indicator_name as down_indicator_name,
    down.cause as down_cause, down.amount as down_amount,
    down.numerator as down_numerator, down.denominator as down_denominator,
    down.last_numerator as down_last_numerator, down.last_denominator as down_last_denominator,
    down.events as down_events, down.last_events as down_last_events,
    late.rows_late,
    ticket.*,
    round(100.0 * ticket.satisfied / nullif(ticket.rated, 0), 1)::decimal(5, 1) as satisfied_rate,
    pool.*,
    (select count(*) from bulletin.coordination where month = $month) as matters,
    (select count(*) from bulletin.exclusion where month = $month) as exclusions,
    (select count(*) from score.line where month = $month and level = 2 and state = 'not_reported') as lines_missing
from place
cross join late
cross join ticket
cross join pool
left join bulletin.move_top as up
    on up.month = $month and up.level = 2 and up.turn = 1 and up.grid_id = place.up_id
left join bulletin.move_top as down
    on down.month = $month and down.level = 2 and down.turn = 1 and down.grid_id = place.down_id
