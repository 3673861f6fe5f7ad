-- grain: one row per unit and rubric row with points
-- rule: rates as points_rate says, counts and entries as points_count says;
--   na peers_mean: what does not apply here is the mean of the peers; a return
--   that none of them sent is not reported
-- build: month
with every as (
    select
        rate.level,
        rate.grid_id,
        rate.line,
        rate.indicator,
        rate.numerator,
        rate.denominator,
        rate.own_numerator,
        rate.own_denominator,
        rate.n,
        rate.points,
        rate.full_points,
        rate.state
    from score.points_rate as rate
    where rate.month = $month
    union all
    select
        counted.level,
        counted.grid_id,
        counted.line,
        counted.indicator,
        counted.numerator,
        counted.denominator,
        counted.numerator,
        counted.denominator,
        counted.numerator,
        counted.points,
        counted.full_points,
        counted.state
    from score.points_count as counted
    where counted.month = $month
),

peers as (
    select
        every.indicator,
        every.level,
        unit.peer_group,
        (2 * sum(every.points)::hugeint + count(every.points))
        // nullif(2 * count(every.points), 0) as points
    from every
    inner join core.month_unit as unit
        on every.grid_id = unit.grid_id
        and unit.month = $month
    group by every.indicator, every.level, unit.peer_group
)

select
    $month as month,
    every.level,
    every.grid_id,
    every.line,
    every.indicator,
    every.numerator,
    every.denominator,
    every.own_numerator,
    every.own_denominator,
    every.n,
    case
        when every.state = 'not_applicable' and rule.na = 'peers_mean'
            then peers.points
        else every.points
    end::bigint as points,
    every.full_points,
    case
        when every.state = 'not_applicable' and rule.na = 'peers_mean'
            and rule.fact = 'return' and every.own_denominator is null
            and peers.points is null then 'not_reported'
        else every.state
    end as state
from every
inner join core.month_unit as unit
    on every.grid_id = unit.grid_id
    and unit.month = $month
inner join score.rule as rule
    on every.indicator = rule.indicator
    and every.level = rule.level
    and rule.month = $month
left join peers
    on every.indicator = peers.indicator
    and every.level = peers.level
    and unit.peer_group = peers.peer_group
order by every.indicator, every.level, every.grid_id
