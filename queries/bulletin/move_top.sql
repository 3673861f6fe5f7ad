-- grain: one row per unit and reason, the two biggest of its move
-- rule: the parts of bulletin.move with the largest amounts either way, rounding
--   left out, less than half a cent left out; with the figures that words need.
--   Words are the locale's
-- build: month
with ranked as (
    select
        move.level,
        move.grid_id,
        move.line,
        move.indicator,
        move.cause,
        move.amount,
        move.total_change,
        move.is_comparable,
        row_number() over (
            partition by move.level, move.grid_id
            order by
                abs(move.amount) desc, name.position, move.indicator, move.cause
        ) as turn
    from bulletin.move as move
    left join seed.line as name
        on move.line = name.line
    where move.month = $month
        and move.cause <> 'rounding'
        and abs(move.amount) >= 0.005
),

event as (
    select
        count.level,
        count.grid_id,
        count.indicator,
        coalesce(sum(count.count) filter (count.month = $month), 0)::bigint as events,
        coalesce(sum(count.count) filter (count.month < $month), 0)::bigint as last_events
    from score.count as count
    where count.month in ($month, $month - interval 1 month)
    group by count.level, count.grid_id, count.indicator
)

select
    $month as month,
    ranked.level,
    ranked.grid_id,
    case ranked.level when 4 then ranked.grid_id else unit.path end as name,
    community.name as community,
    ranked.turn,
    ranked.line,
    name.name as line_name,
    upper(ranked.indicator) as indicator,
    rubric.name as indicator_name,
    ranked.cause,
    ranked.amount,
    pair.numerator,
    pair.denominator,
    pair.state,
    pair.last_numerator,
    pair.last_denominator,
    pair.last_state,
    event.events,
    event.last_events,
    ranked.total_change,
    ranked.is_comparable
from ranked
inner join core.month_unit as unit
    on ranked.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
left join seed.line as name
    on ranked.line = name.line
left join seed.rubric as rubric
    on ranked.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
left join bulletin.move_pair as pair
    on ranked.level = pair.level
    and ranked.grid_id = pair.grid_id
    and ranked.indicator = pair.indicator
    and pair.month = $month
left join event
    on ranked.level = event.level
    and ranked.grid_id = event.grid_id
    and ranked.indicator = event.indicator
where ranked.turn <= 2
order by ranked.level, ranked.grid_id, ranked.turn
