-- grain: one row per line and community
-- rule: places of the line, and its two rows that lost most points
-- build: month
with lost as (
    select
        points.grid_id,
        points.line,
        string_agg(
            rubric.name || ' −' || ((points.full_points - points.points + 5000) // 10000 * 0.01)::decimal(7, 2)::text
            || case when points.denominator > 0 then '（' || points.numerator::text || '/' || points.denominator::text || '）' else '' end,
            '；' order by points.full_points - points.points desc, points.indicator
        ) as reasons
    from (
        select
            points.*,
            row_number() over (
                partition by points.grid_id, points.line
                order by points.full_points - points.points desc, points.indicator
            ) as turn
        from score.points as points
        where points.month = $month
            and points.level = 2
            and points.points < points.full_points
    ) as points
    inner join seed.rubric as rubric
        on points.indicator = rubric.indicator
        and rubric.valid_from <= $month
        and (rubric.valid_to is null or rubric.valid_to >= $month)
    where points.turn <= 2
    group by points.grid_id, points.line
)

select
    $month as month,
    name.position as line_position,
    line.line,
    name.name as line_name,
    line.weight,
    row_number() over (
        partition by line.line order by ranking.place nulls last, unit.grid_id
    ) as position,
    unit.name,
    ranking.place,
    ranking.is_tied,
    line.score,
    ranking.score_change,
    (line.deduction // 10000 * 0.01)::decimal(7, 2) as deduction,
    (line.bonus // 10000 * 0.01)::decimal(7, 2) as bonus,
    (line.cap // 10000 * 0.01)::decimal(7, 2) as cap,
    line.state,
    lost.reasons as lost
from score.line as line
inner join seed.line as name
    on line.line = name.line
inner join core.month_unit as unit
    on line.grid_id = unit.grid_id
    and unit.month = $month
inner join ranking.line as ranking
    on line.grid_id = ranking.grid_id
    and line.level = ranking.level
    and line.line = ranking.line
    and ranking.month = $month
left join lost
    on line.grid_id = lost.grid_id
    and line.line = lost.line
where line.month = $month
    and line.level = 2
order by line_position, position
