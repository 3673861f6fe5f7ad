-- grain: one row per unit and rubric row that exists at its level
-- rule: every figure of the month in one table: own cases, the cases it was
--   scored on, points, state; rows that count events have events and what they
--   took (or gave). Welfare figures of 1 or 2 cases are withheld (domain.md 7.2)
-- build: month
with figure as (
    select
        points.level,
        points.grid_id,
        points.line,
        points.indicator,
        points.numerator,
        points.denominator,
        points.own_numerator,
        points.own_denominator,
        points.n,
        points.points,
        points.full_points,
        points.state,
        count.count as events,
        count.taken,
        null::bigint as cap
    from score.points as points
    left join score.count as count
        on points.level = count.level
        and points.grid_id = count.grid_id
        and points.indicator = count.indicator
        and count.month = $month
    where points.month = $month
    union all
    select
        count.level, count.grid_id, count.line, count.indicator,
        null, null, null, null, null, null, null, 'counted',
        count.count, count.taken, count.cap
    from score.count as count
    where count.month = $month
        and count.rule in ('line_deduct', 'bonus', 'veto')
),

guarded as (
    select
        figure.*,
        figure.line = 'welfare'
        and coalesce(figure.own_denominator between 1 and 2, false) as is_withheld
    from figure
)

select
    $month as month,
    guarded.level,
    guarded.grid_id,
    case guarded.level when 4 then guarded.grid_id else unit.path end as name,
    community.name as community,
    guarded.line,
    upper(guarded.indicator) as indicator,
    rubric.name as indicator_name,
    rubric.rule,
    rubric.cohort,
    case when not guarded.is_withheld then guarded.own_numerator end as own_numerator,
    case when not guarded.is_withheld then guarded.own_denominator end as own_denominator,
    case when not guarded.is_withheld then guarded.numerator end as numerator,
    case when not guarded.is_withheld then guarded.denominator end as denominator,
    case when not guarded.is_withheld then guarded.n end as n,
    (case when not guarded.is_withheld then guarded.points end * 0.000001)::decimal(9, 6) as points,
    (guarded.full_points * 0.000001)::decimal(9, 6) as full_points,
    guarded.state,
    guarded.events,
    (guarded.taken * 0.000001)::decimal(9, 6) as taken,
    (guarded.cap * 0.000001)::decimal(9, 6) as cap,
    guarded.is_withheld
from guarded
inner join core.month_unit as unit
    on guarded.grid_id = unit.grid_id
    and unit.month = $month
left join core.month_unit as community
    on unit.community_id = community.grid_id
    and community.month = $month
inner join seed.rubric as rubric
    on guarded.indicator = rubric.indicator
    and rubric.valid_from <= $month
    and (rubric.valid_to is null or rubric.valid_to >= $month)
order by guarded.level, guarded.grid_id, rubric.position
